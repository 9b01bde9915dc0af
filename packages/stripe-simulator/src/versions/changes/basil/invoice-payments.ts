import type { Json } from '../../../rows.ts'
import type { World } from '../../../world.ts'
import { change } from '../../change.ts'

type Numbered = { readonly id: string }
type Invoice = Numbered & {
  readonly status: string | null
  readonly amount_due: number
  readonly amount_paid: number
}

const intentOf = (world: World, invoice: string) =>
  world.paymentIntents.get(world.invoices.get(invoice)?.own.paymentIntent)

const invoiceOfIntent = (world: World, intent: string | null) =>
  world.paymentIntents.get(intent)?.own.invoice ?? null

const paid = ({ status }: Invoice) => status === 'paid'

/** Paid, and no payment of ours did it. */
function paidOutOfBand(invoice: Invoice, world: World): boolean {
  if (!paid(invoice) || invoice.amount_due <= 0) return false
  const payments = world.invoicePayments.by('invoice', invoice.id)
  return !payments.some(({ status, payment }) => status === 'paid' && payment.type !== 'payment_record')
}

function shown(world: World, row: { readonly object: string } | undefined): Json | null {
  return row === undefined ? null : world.render(row)
}

const invoiceOf = (world: World, { invoice }: Json) =>
  shown(world, world.invoices.get(invoice as string | null))

export const invoicePayments = change({
  since: '2025-03-31.basil',
  what: 'An invoice can have several payments, in a list of their own; it had one intent and its charge.',
  source:
    'https://docs.stripe.com/changelog/basil/2025-03-31/add-support-for-multiple-partial-payments-on-invoices',
  operations: [
    'GET /v1/invoice_payments',
    'GET /v1/invoice_payments/:id',
    'POST /v1/invoices/:id/attach_payment',
  ],
  show: {
    invoice: {
      drop: ['amount_overpaid', 'confirmation_secret', 'payments'],
      give: {
        charge: ({ id }: Numbered, world: World) => intentOf(world, id)?.latest_charge ?? null,
        payment_intent: ({ id }: Numbered, world: World) => intentOf(world, id)?.id ?? null,
        paid,
        paid_out_of_band: paidOutOfBand,
        // What was paid elsewhere did not count.
        amount_paid: (invoice: Invoice, world: World) =>
          paidOutOfBand(invoice, world) ? 0 : invoice.amount_paid,
        application_fee_amount: (): number | null => null,
        transfer_data: () => null,
      },
    },
    payment_intent: {
      give: { invoice: ({ id }: Numbered, world: World) => invoiceOfIntent(world, id) },
    },
    charge: {
      give: {
        invoice: ({ payment_intent: intent }: { readonly payment_intent: string | null }, world: World) =>
          invoiceOfIntent(world, intent),
      },
    },
  },
  expand: {
    invoice: {
      confirmation_secret: null,
      payments: null,
      charge: (world, { charge }) => shown(world, world.charges.get(charge as string | null)),
      payment_intent: (world, { payment_intent: intent }) =>
        shown(world, world.paymentIntents.get(intent as string | null)),
    },
    payment_intent: { invoice: invoiceOf },
    charge: { invoice: invoiceOf },
  },
})
