import { invalid } from '../errors.ts'
import type { InvoicePaymentRow, InvoiceRow, PaymentIntentRow } from '../rows.ts'
import type { World } from '../world.ts'
import { changeBalance } from './balance.ts'
import { askForRemaining, insertPayment, settlePayment, settlePayments } from './invoice-payments.ts'
import { markPaid } from './invoices.ts'
import { cancelIntent } from './payments.ts'
import { afterPaid } from './settle.ts'

/**
 * Lets an intent of the same customer and currency pay an open invoice, wholly or in part. One that has
 * succeeded is credited at once. https://docs.stripe.com/invoicing/partial-payments
 */
export function attachPayment(world: World, invoice: InvoiceRow, intent: PaymentIntentRow): void {
  const param = 'payment_intent'
  if (invoice.status !== 'open' && invoice.status !== 'uncollectible') {
    throw invalid(`Payments are attached to open invoices; this one is ${invoice.status}.`)
  }
  if (intent.customer !== invoice.customer || intent.currency !== invoice.currency) {
    throw invalid('The PaymentIntent must have the customer and the currency of the invoice.', param)
  }
  if (intent.own.invoice !== null || world.invoicePayments.count('intent', intent.id) > 0) {
    throw invalid('The PaymentIntent is attached to an invoice already.', param)
  }
  if (intent.status === 'canceled') throw invalid('The PaymentIntent is canceled.', param)
  const amount = intent.status === 'succeeded' ? intent.amount_received : intent.amount
  if (amount > invoice.amount_remaining) {
    throw invalid(`Only ${invoice.amount_remaining} remains to be paid.`, param, 'amount_too_large')
  }
  const part = amount < invoice.amount_remaining
  if (part && invoice.own.subscription !== null && invoice.collection_method === 'charge_automatically') {
    throw invalid('Invoices of subscriptions that are charged automatically are not paid in parts.', param)
  }
  insertPayment(world, invoice, intent, { amount, isDefault: false })
  if (intent.status === 'succeeded') creditAttached(world, intent)
}

/** An attached intent succeeded: its invoice is paid by that much. */
export function creditAttached(world: World, { id }: PaymentIntentRow): void {
  for (const payment of openPayments(world, id)) credit(world, payment)
}

/** An attached intent was canceled, and its payment with it. */
export function cancelAttached(world: World, { id, own }: PaymentIntentRow): void {
  for (const payment of openPayments(world, id))
    settlePayment(world, payment, 'canceled', world.now(own.clock))
}

function openPayments(world: World, intent: string): InvoicePaymentRow[] {
  return world.invoicePayments
    .by('intent', intent)
    .filter((payment) => payment.status === 'open' && !payment.is_default)
}

/** What is more than the invoice asked for is the customer's, on the balance. */
function credit(world: World, payment: InvoicePaymentRow): void {
  const invoice = world.invoices.must(payment.invoice)
  const now = world.now(invoice.own.clock)
  settlePayment(world, payment, 'paid', now)
  const used = Math.min(invoice.amount_remaining, payment.amount_requested)
  const over = payment.amount_requested - used
  if (used > 0) {
    world.invoices.patch(invoice.id, {
      amount_paid: invoice.amount_paid + used,
      amount_remaining: invoice.amount_remaining - used,
    })
    askForRemaining(world, invoice.id)
    if (used === invoice.amount_remaining) complete(world, invoice.id, now)
    else world.emit('invoice.updated', world.invoices.must(invoice.id))
  }
  if (over > 0) overpay(world, invoice, over)
}

function complete(world: World, id: string, now: number): void {
  settlePayments(world, id, 'canceled', now)
  const { paymentIntent } = world.invoices.must(id).own
  if (paymentIntent !== null) cancelIntent(world, paymentIntent, 'automatic')
  afterPaid(world, markPaid(world, id, { outOfBand: false }))
}

function overpay(world: World, { id, customer }: InvoiceRow, over: number): void {
  const before = world.invoices.must(id)
  const paid = world.invoices.patch(id, { amount_overpaid: before.amount_overpaid + over })
  changeBalance(world, customer as string, -over, { type: 'invoice_overpaid', invoice: id })
  world.emit('invoice.updated', paid)
  world.emit('invoice.overpaid', paid)
}
