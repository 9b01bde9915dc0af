import type Stripe from 'stripe'
import type { Simulator } from 'stripe-simulator'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newSimulator } from '../../../../../test/support/simulator.ts'
import { makeStripe } from './client.ts'
import { idOf } from './field.ts'
import { toInvoice } from './to-invoice.ts'
import { toSubscription } from './to-subscription.ts'

let simulator: Simulator
let stripe: Stripe
let subscription: Stripe.Subscription

beforeAll(async () => {
  simulator = await newSimulator()
  stripe = makeStripe({ apiKey: 'sk_test_x', apiBase: simulator.url })
  const product = await stripe.products.create({ name: 'App' })
  const price = await stripe.prices.create({
    product: product.id,
    currency: 'usd',
    unit_amount: 900,
    recurring: { interval: 'month' },
  })
  const customer = await stripe.customers.create({
    payment_method: 'pm_card_visa',
    metadata: { lockstep_customer: 'customer_1' },
  })
  const { data } = await stripe.customers.listPaymentMethods(customer.id)
  subscription = await stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: price.id, quantity: 3 }],
    default_payment_method: data[0]?.id ?? '',
  })
})
afterAll(() => simulator.close())

/** The answer with some fields changed, or left out where they are undefined. */
function altered<T extends object>(object: T, changes: object): T {
  return JSON.parse(JSON.stringify({ ...object, ...changes })) as T
}

test('periods stand on the items', () => {
  const [item] = subscription.items.data
  expect(toSubscription(subscription)).toMatchObject({
    status: 'active',
    quantity: 3,
    trial: null,
    currentPeriod: { start: item?.current_period_start, end: item?.current_period_end },
    items: [{ quantity: 3, period: { start: item?.current_period_start, end: item?.current_period_end } }],
  })
})

test('of an older rendering the period of the subscription is read (H29)', () => {
  const data = subscription.items.data.map((item) =>
    altered(item, { current_period_start: undefined, current_period_end: undefined }),
  )
  const older = altered(subscription, {
    items: { ...subscription.items, data },
    current_period_start: 100,
    current_period_end: 200,
  })
  expect(toSubscription(older).currentPeriod).toEqual({ start: 100, end: 200 })
  expect(toSubscription(older).items[0]?.period).toEqual({ start: 100, end: 200 })
})

test.each(['items', 'trial_start', 'cancel_at', 'ended_at', 'latest_invoice', 'metadata', 'currency'])(
  'a subscription without the field %s is an error, not a subscription with none (H32)',
  (field) => {
    expect(() => toSubscription(altered(subscription, { [field]: undefined }))).toThrow(field)
  },
)

test('half of a nested list is not the list (H27)', () => {
  const half = altered(subscription, { items: { ...subscription.items, has_more: true } })
  expect(() => toSubscription(half)).toThrow(/only some of the items/)
})

test('a status that we do not know is told apart from those we do (H28)', () => {
  expect(toSubscription(altered(subscription, { status: 'hibernating' })).status).toBeUndefined()
})

test('an invoice and its lines', async () => {
  const invoice = await stripe.invoices.retrieve(idOf(subscription.latest_invoice ?? ''))
  const seen = toInvoice(invoice)
  expect(seen).toMatchObject({
    subscription: subscription.id,
    status: 'paid',
    billingReason: 'subscription_create',
    total: { minor: 2700n, currency: 'usd' },
    amountRemaining: { minor: 0n },
    lines: [{ amount: { minor: 2700n }, quantity: 3, invoiceItem: null, isProration: false }],
  })
  expect(seen.lines[0]?.price).toBe(subscription.items.data[0]?.price.id)
  for (const field of ['lines', 'parent', 'total', 'status_transitions', 'billing_reason']) {
    expect(() => toInvoice(altered(invoice, { [field]: undefined }))).toThrow(field)
  }
  expect(() => toInvoice(altered(invoice, { lines: { ...invoice.lines, has_more: true } }))).toThrow(
    /only some/,
  )
})
