import type { InvoicePaymentRow, InvoiceRow, PaymentIntentRow } from '../rows.ts'
import type { World } from '../world.ts'

/** What is to be paid to an invoice by an intent. https://docs.stripe.com/api/invoice-payment */
export function insertPayment(
  world: World,
  invoice: InvoiceRow,
  intent: PaymentIntentRow,
  { amount, isDefault }: { amount: number; isDefault: boolean },
): InvoicePaymentRow {
  return world.invoicePayments.insert({
    id: world.ids.next('inpay'),
    object: 'invoice_payment',
    amount_paid: null,
    amount_requested: amount,
    created: world.now(invoice.own.clock),
    currency: invoice.currency,
    invoice: invoice.id,
    is_default: isDefault,
    livemode: false,
    payment: { payment_intent: intent.id, type: 'payment_intent' },
    status: 'open',
    status_transitions: { canceled_at: null, paid_at: null },
    own: { clock: invoice.own.clock, intent: intent.id },
  })
}

/** The end of the default payment; payments that were attached have a life of their own. */
export function settlePayments(world: World, invoice: string, status: 'paid' | 'canceled', at: number): void {
  for (const payment of world.invoicePayments.by('invoice', invoice)) {
    if (payment.status === 'open' && payment.is_default) settlePayment(world, payment, status, at)
  }
}

export function settlePayment(
  world: World,
  payment: InvoicePaymentRow,
  status: 'paid' | 'canceled',
  at: number,
): void {
  const settled = world.invoicePayments.patch(payment.id, {
    status,
    amount_paid: status === 'paid' ? payment.amount_requested : null,
    status_transitions: {
      canceled_at: status === 'canceled' ? at : null,
      paid_at: status === 'paid' ? at : null,
    },
  })
  if (status === 'paid') world.emit('invoice_payment.paid', settled)
}

/** The default payment and its intent always ask for what remains; an intent over nothing is canceled with the invoice. */
export function askForRemaining(world: World, id: string): void {
  const invoice = world.invoices.must(id)
  const remaining = invoice.amount_remaining
  if (remaining === 0) return
  const intent = world.paymentIntents.get(invoice.own.paymentIntent)
  if (intent !== undefined) world.paymentIntents.patch(intent.id, { amount: remaining })
  for (const payment of world.invoicePayments.by('invoice', id)) {
    if (payment.status !== 'open' || !payment.is_default) continue
    world.invoicePayments.patch(payment.id, { amount_requested: remaining })
  }
}

/** Payments that were attached by hand and are not canceled. */
export function attachedPayments(world: World, invoice: string): InvoicePaymentRow[] {
  return world.invoicePayments
    .by('invoice', invoice)
    .filter((payment) => !payment.is_default && payment.status !== 'canceled')
}

/** The intents that the invoice was or is to be paid with, the default one first. */
export function intentsOf(world: World, invoice: InvoiceRow): string[] {
  const ids = world.invoicePayments.by('invoice', invoice.id).map((payment) => payment.own.intent)
  return ids.flatMap((id) => (id === null ? [] : [id]))
}
