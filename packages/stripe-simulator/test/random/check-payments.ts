import type Stripe from 'stripe'
import { hold, sum } from './hold.ts'
import { invoices, type Story } from './story.ts'

/** Paid invoices have payments, payments have charges, and no charge gives back more than it took. */
export async function checkPayments(story: Story): Promise<void> {
  const { stripe, customer } = story
  const charges = await stripe.charges.list({ customer, limit: 100 }).autoPagingToArray({ limit: 10_000 })
  const intents = await stripe.paymentIntents
    .list({ customer, limit: 100 })
    .autoPagingToArray({ limit: 10_000 })
  const refunds = await stripe.refunds.list({ limit: 100 }).autoPagingToArray({ limit: 10_000 })
  for (const charge of charges) checkCharge(charge, refunds)
  for (const intent of intents) checkIntent(intent, charges)
  for (const invoice of await invoices(story)) checkInvoice(invoice, intents, story.cash.has(invoice.id))
}

function checkCharge(charge: Stripe.Charge, refunds: readonly Stripe.Refund[]): void {
  const given = refunds.filter(
    ({ charge: of, status }) => of === charge.id && status !== 'failed' && status !== 'canceled',
  )
  const back = sum(given.map(({ amount }) => amount))
  hold(`${charge.id} amount_refunded`, charge.amount_refunded, back)
  hold(`${charge.id} gives back no more than it took`, back <= charge.amount_captured, true)
  hold(`${charge.id} refunded`, charge.refunded, charge.paid && back === charge.amount_captured)
  hold(`${charge.id} captured`, charge.amount_captured, charge.paid ? charge.amount : 0)
}

function checkIntent(intent: Stripe.PaymentIntent, charges: readonly Stripe.Charge[]): void {
  const paid = charges.filter(
    ({ payment_intent, status }) => payment_intent === intent.id && status === 'succeeded',
  )
  hold(`${intent.id} charges that succeeded`, paid.length, intent.status === 'succeeded' ? 1 : 0)
  hold(`${intent.id} amount_received`, intent.amount_received, sum(paid.map(({ amount }) => amount)))
}

function checkInvoice(
  invoice: Stripe.Invoice,
  intents: readonly Stripe.PaymentIntent[],
  inCash: boolean,
): void {
  const { id } = invoice
  const paid = (invoice.payments?.data ?? []).filter(({ status }) => status === 'paid')
  if (invoice.status !== 'paid') {
    hold(`${id} payments of an invoice that is ${invoice.status}`, paid.length, 0)
    return
  }
  const amounts = paid.map((payment) => {
    if (payment.payment.type !== 'payment_intent') return payment.amount_paid
    const intent = intents.find((one) => one.id === payment.payment.payment_intent)
    hold(`${id} is paid by an intent that`, intent?.status, 'succeeded')
    hold(`${id} amount of ${payment.id}`, payment.amount_paid, intent?.amount_received)
    return payment.amount_paid
  })
  hold(`${id} amount_paid by payments`, sum(amounts), inCash ? 0 : invoice.amount_paid)
}
