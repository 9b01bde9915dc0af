import type Stripe from 'stripe'
import { isCard } from '../billing/methods.ts'
import { invalid } from '../errors.ts'
import type { Expansions } from '../http/expand.ts'
import { firstPage, inRange, page, paging } from '../http/list.ts'
import { get, nothing, post } from '../http/route.ts'
import { clearable, gaps, integer, metadata, oneOf, playedOf, range, shape, text } from '../http/schema.ts'
import type { ChargeRow, InvoicePaymentRow, PaymentIntentRow } from '../rows.ts'
import { defined } from '../rules/defined.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import type { Shown } from '../shown.ts'
import type { World } from '../world.ts'
import { expandTransaction } from './account-balance.ts'
import { email } from './email-param.ts'
import { expandedCustomer } from './expanded.ts'
import { find } from './lookup.ts'
import { expandedSource } from './sources.ts'

export const chargeRoutes = [
  get('/v1/charges/:id', nothing, ({ world, path }) => world.render(find(world.charges, 'charge', path()))),
  post(
    '/v1/charges/:id',
    shape({
      description: clearable(text()),
      metadata,
      receipt_email: email(),
      fraud_details: shape({ user_report: clearable(oneOf(['fraudulent', 'safe'] as const)) }),
      transfer_group: text(),
      ...gaps('customer', 'shipping'),
    }),
    ({ world, params, path }) => {
      const charge = find(world.charges, 'charge', path())
      if (params.transfer_group !== undefined) {
        // As recorded in 2026-08-26.dahlia: github.com/Kiln-AI/stripe_world, cassette 04, step 50.
        throw invalid(
          `This Charge was created by a PaymentIntent (${charge.payment_intent as string}). You must update the \`transfer_group\` on the PaymentIntent instead of updating the Charge directly. See https://stripe.com/docs/api#update_payment_intent`,
        )
      }
      const { metadata: labels, fraud_details: report, ...changes } = params
      const next = world.charges.patch(charge.id, {
        ...defined(changes),
        ...(report === undefined ? {} : { fraud_details: reported(report.user_report) }),
        metadata: mergeMetadata(charge.metadata, labels),
      })
      world.emit('charge.updated', next)
      return world.render(next)
    },
  ),
  post('/v1/charges/:id/capture', shape({ amount: integer({ min: 1 }) }), ({ world, path }) => {
    const charge = find(world.charges, 'charge', path())
    if (charge.captured) {
      const message = `Charge ${charge.id} has already been captured.`
      throw invalid(message, undefined, 'charge_already_captured')
    }
    // Every charge is an intent's, which says what becomes of it. As recorded: pay-rails/pay and github.com/Kiln-AI/stripe_world.
    throw invalid(
      `This uncaptured Charge was created by a PaymentIntent (${charge.payment_intent as string}). You must capture the PaymentIntent instead. For more information, see https://stripe.com/docs/payments/place-a-hold-on-a-payment-method`,
    )
  }),
  get(
    '/v1/charges',
    shape({ ...paging, created: range, customer: text(), payment_intent: text(), ...gaps('transfer_group') }),
    ({ world, params }) =>
      page(world.charges, params, {
        noun: 'charge',
        url: '/v1/charges',
        where:
          params.payment_intent !== undefined
            ? { index: 'payment_intent', key: params.payment_intent }
            : params.customer === undefined
              ? null
              : { index: 'customer', key: params.customer },
        matches: (row) =>
          (params.customer === undefined || row.customer === params.customer) &&
          inRange(row.created, params.created),
        render: (row) => world.render(row),
      }),
  ),
]

export const invoicePaymentRoutes = [
  get('/v1/invoice_payments/:id', nothing, ({ world, path }) =>
    world.render(find(world.invoicePayments, 'invoice payment', path())),
  ),
  get(
    '/v1/invoice_payments',
    shape({
      ...paging,
      created: range,
      invoice: text(),
      payment: shape({
        type: playedOf(['payment_intent'] as const, ['payment_record']),
        payment_intent: text(),
        ...gaps('payment_record'),
      }),
      status: oneOf(['open', 'paid', 'canceled'] as const),
    }),
    ({ world, params }) => {
      if (params.invoice !== undefined) find(world.invoices, 'invoice', params.invoice, 'invoice')
      const intent = params.payment?.payment_intent
      return page(world.invoicePayments, params, {
        noun: 'invoice payment',
        url: '/v1/invoice_payments',
        where:
          params.invoice !== undefined
            ? { index: 'invoice', key: params.invoice }
            : intent === undefined
              ? null
              : { index: 'intent', key: intent },
        matches: (row) =>
          (intent === undefined || row.own.intent === intent) &&
          (params.status === undefined || row.status === params.status) &&
          inRange(row.created, params.created),
        render: (row) => world.render(row),
      })
    },
  ),
]

export const paymentExpansions: Expansions = {
  charge: {
    balance_transaction: (world, row) => expandTransaction(world, row.balance_transaction),
    customer: (world, row) => expandedCustomer(world, row.customer),
    payment_intent: (world, row) =>
      row.payment_intent === null
        ? null
        : world.render(world.paymentIntents.must(row.payment_intent as string)),
    refunds: (world, row) => {
      const refunds = world.refunds.by('charge', row.id as string).reverse()
      return firstPage(refunds, `/v1/charges/${row.id}/refunds`, (refund) => world.render(refund))
    },
  },
  payment_intent: {
    source: (world, row) => expandedSource(world, row.source),
    customer: (world, row) => expandedCustomer(world, row.customer),
    latest_charge: (world, row) =>
      row.latest_charge === null ? null : world.render(world.charges.must(row.latest_charge as string)),
    payment_method: (world, row) =>
      row.payment_method === null
        ? null
        : world.render(world.paymentMethods.must(row.payment_method as string)),
  },
  invoice_payment: {
    'payment.payment_intent': (world, payment) =>
      world.render(world.paymentIntents.must(payment.payment_intent as string)),
    invoice: (world, row) => world.render(world.invoices.must(row.invoice as string)),
  },
}

function reported(report: 'fraudulent' | 'safe' | null | undefined): ChargeRow['fraud_details'] {
  return report == null ? {} : { user_report: report }
}

export function renderCharge(_world: World, charge: ChargeRow): Shown<Stripe.Charge> {
  return { ...charge, own: undefined }
}

export function renderPaymentIntent(_world: World, intent: PaymentIntentRow): Shown<Stripe.PaymentIntent> {
  if (intent.own.invoice === null || intent.payment_method === null) return { ...intent, own: undefined }
  // An invoice that a card of the older kind pays has it as its source, as recorded:
  // github.com/dj-stripe/dj-stripe tests/fixtures/payment_intent_pi_fakefakefakefakefake0001.json
  const bySource = isCard({ id: intent.payment_method })
  return bySource
    ? { ...intent, own: undefined, payment_method: null, source: intent.payment_method }
    : { ...intent, own: undefined }
}

export function renderInvoicePayment(
  _world: World,
  payment: InvoicePaymentRow,
): Shown<Stripe.InvoicePayment> {
  return { ...payment, own: undefined }
}
