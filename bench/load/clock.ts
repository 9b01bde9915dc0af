/**
 * The work of `simulator-clock`, a process of its own with the simulator in it: customers with monthly
 * subscriptions on one test clock, which is turned through the months at once.
 */
import Stripe from 'stripe'
import { startSimulator } from 'stripe-simulator'

export interface ClockLoad {
  readonly subscriptions: number
  readonly months: number
}

export interface ClockLoadResult {
  /** Of the turn alone; signing up comes before. */
  readonly seconds: number
  readonly events: number
}

const { subscriptions, months } = JSON.parse(process.argv[2] ?? '{}') as ClockLoad
const simulator = await startSimulator({ settings: { unlimitedClocks: true } })
const stripe = new Stripe('sk_test_bench', { host: '127.0.0.1', port: simulator.port, protocol: 'http' })
const clock = await stripe.testHelpers.testClocks.create({ frozen_time: Date.UTC(2026, 0, 1) / 1000 })
const price = await stripe.prices.create({
  currency: 'usd',
  unit_amount: 1000,
  recurring: { interval: 'month' },
  product_data: { name: 'Team' },
})
for (let i = 0; i < subscriptions; i += 1) {
  const customer = await stripe.customers.create({ test_clock: clock.id })
  const card = await stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
  await stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: price.id }],
    default_payment_method: card.id,
  })
}

const start = performance.now()
// A day later than the last renewal, so that its draft's hour is over.
const to = Date.UTC(2026, months, 2) / 1000
await stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: to })
const { idle } = await simulator.control.idle({ timeoutMs: 600_000 })
const seconds = (performance.now() - start) / 1000
if (!idle) throw new Error('The clock did not come to rest.')

let paid = 0
for await (const invoice of stripe.invoices.list({ limit: 100, status: 'paid' })) {
  if (invoice.total === 1000) paid += 1
}
const expected = subscriptions * (months + 1)
if (paid !== expected) throw new Error(`${expected} invoices are due, ${paid} are paid.`)
let events = 0
for await (const _ of stripe.events.list({ limit: 100 })) events += 1
process.stdout.write(`${JSON.stringify({ seconds, events } satisfies ClockLoadResult)}\n`)
await simulator.close()
