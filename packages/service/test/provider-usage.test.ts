import { formatMoney } from '@lockstep/core/money'
import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { readDueUsage } from '../src/jobs/read-provider-usage.ts'
import { transaction } from '../src/postgres/transaction.ts'
import { previewCounted } from '../src/provider/stripe/counted-usage.ts'
import { nextObservation } from '../src/store/provider-objects.ts'
import { writeReading } from '../src/store/provider-usage.ts'
import { readSubscription } from '../src/store/subscriptions.ts'
import { readProviderUsage } from '../src/workflow/provider-usage.ts'
import type { Payer } from './support/billing-world.ts'
import { newInboundWorld } from './support/inbound-world.ts'
import { shared } from './support/shared.ts'

// What Stripe's own meters count of a subscription that we hear of by events is shown by its current invoice, and billed by Stripe.
// https://docs.stripe.com/billing/subscriptions/usage-based

const world = await shared(newInboundWorld())
const { stripe } = world

const at = (time: string) => Date.parse(time) / 1000

let counter = 0

/** A meter, a product and a price that it counts; a thousand of its parts stand for a coin's. */
async function metered(
  currency: string,
  cost: Omit<Stripe.PriceCreateParams, 'currency' | 'product'>,
  formula: 'sum' | 'last' | 'count' = 'sum',
) {
  counter += 1
  const name = `Counted ${counter}`
  const meter = await stripe.billing.meters.create({
    ...{ display_name: name, event_name: `counted_${counter}`, default_aggregation: { formula } },
  })
  const product = await stripe.products.create({ name })
  const price = await stripe.prices.create({
    ...{ currency, product: product.id, ...cost },
    recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
  })
  const use = (payer: Pick<Payer, 'customer'>, value: string, time: string) =>
    stripe.billing.meterEvents.create({
      event_name: meter.event_name,
      payload: { stripe_customer_id: payer.customer, value },
      timestamp: at(time),
    })
  return { name, price: price.id, use }
}

/** Somebody who subscribes at Stripe on the first of January 2026, on a clock of their own, and is heard of. */
async function subscriber(
  prices: readonly string[],
  more: Partial<Stripe.SubscriptionCreateParams> = {},
): Promise<Payer> {
  const clock = await stripe.testHelpers.testClocks.create({ frozen_time: at('2026-01-01T00:00:00Z') })
  const customer = await stripe.customers.create({ test_clock: clock.id, name: 'Grace' })
  const method = await stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
  await stripe.customers.update(customer.id, { invoice_settings: { default_payment_method: method.id } })
  const { id } = await stripe.subscriptions.create({
    customer: customer.id,
    items: prices.map((price) => ({ price })),
    ...more,
  })
  await world.deliver()
  const { rows } = await world.pool.query(
    `select s.id, s.customer_id, c.external_id from mapping m join subscription s on s.id = m.entity_id
     join customer c on c.id = s.customer_id where m.provider_id = $1`,
    [id],
  )
  const [row] = rows
  return {
    ...{ externalId: row.external_id, customerId: row.customer_id, subscriptionId: row.id },
    ...{ customer: customer.id, subscription: id, testClock: clock.id },
  }
}

const go = async (payer: Payer, time: string) => {
  await world.turn(payer, time)
  await world.deliver()
}

/** Every counted line of an invoice: what it says, how much, what it comes to, as of when. */
async function counted(payer: Payer, status: 'current' | 'closing' = 'current') {
  const { lines } = await world.read(payer, status)
  return lines
    .filter(({ asOf }) => asOf !== null)
    .map(({ description, quantity, amount, asOf }) => [
      description.replace(/^.*× Counted \d+ /, ''),
      Number(quantity) / 1e9,
      formatMoney(amount),
      new Date((asOf ?? 0) * 1000).toISOString().slice(0, 10),
    ])
}

/** Lines that are still kept of what was counted. */
async function left(payer: Payer): Promise<number> {
  const { rows } = await world.pool.query(
    `select coalesce(sum(jsonb_array_length(lines)), 0)::int as lines from provider_usage where subscription_id = $1`,
    [payer.subscriptionId],
  )
  return rows[0].lines
}

const itemsOf = async ({ subscriptionId }: Payer) =>
  (await readSubscription(world.deps.db, subscriptionId))?.meteredItems ?? []

const previewed = async (payer: Payer) =>
  (await stripe.invoices.createPreview({ subscription: payer.subscription })).total

test.each([
  // 1,234 × 0.05 cents = 61.7.
  ['usd', { unit_amount_decimal: '0.05' as never }, '1234', [['(at $0.0005 / month)', 1234, '0.62']]],
  // 15 × 3.7 = 55.5 yen, which have no smaller coin.
  ['jpy', { unit_amount_decimal: '3.7' as never }, '15', [['(at ¥3.7 / month)', 15, '56']]],
  // 12 × 12.5 fils are 150.
  ['kwd', { unit_amount_decimal: '12.5' as never }, '12', [[expect.any(String), 12, '0.150']]],
  // A hundred at 3, fifty at 2, and 1.00 for having any of the second.
  [
    'usd',
    {
      ...{ billing_scheme: 'tiered', tiers_mode: 'graduated' },
      tiers: [
        { up_to: 100, unit_amount: 3 },
        { up_to: 'inf', unit_amount: 2, flat_amount: 100 },
      ],
    },
    '150',
    'sum of tiers 500',
  ],
  // All at 2.
  [
    'usd',
    {
      ...{ billing_scheme: 'tiered', tiers_mode: 'volume' },
      tiers: [
        { up_to: 100, unit_amount: 3 },
        { up_to: 'inf', unit_amount: 2 },
      ],
    },
    '150',
    'sum of tiers 300',
  ],
] as const)('what is counted in %s at %j', async (currency, cost, value, expected) => {
  const calls = await metered(currency, cost as unknown as Parameters<typeof metered>[1])
  const payer = await subscriber([calls.price])
  // Asked as soon as it is heard of: nothing yet.
  expect(await readDueUsage(world.deps)).toBe(1)
  expect((await world.read(payer, 'current')).total.minor).toBe(0n)
  await go(payer, '2026-01-10T00:00:00Z')
  await calls.use(payer, value, '2026-01-09T00:00:00Z')
  await readProviderUsage(world.deps, payer.subscriptionId)
  const lines = await counted(payer)
  const { total, subtotal } = await world.read(payer, 'current')
  expect(total.minor).toBe(BigInt(await previewed(payer)))
  if (typeof expected === 'string') expect(`sum of tiers ${subtotal.minor}`).toBe(expected)
  else expect(lines).toEqual(expected.map((line) => [...line, '2026-01-10']))
})

test('a period that renews: its final invoice has the usage once, and the current one begins at nothing', async () => {
  const calls = await metered('usd', { unit_amount: 2 })
  const levels = await metered('usd', { unit_amount: 10 }, 'last')
  const payer = await subscriber([calls.price, levels.price])
  await go(payer, '2026-01-20T00:00:00Z')
  await calls.use(payer, '30', '2026-01-05T00:00:00Z')
  await levels.use(payer, '9', '2026-01-06T00:00:00Z')
  await levels.use(payer, '4', '2026-01-07T00:00:00Z')
  await readProviderUsage(world.deps, payer.subscriptionId)
  // The newest item first: four at the last at 0.10, and 30 × 0.02.
  expect((await counted(payer)).map(([, ...rest]) => rest)).toEqual([
    [4, '0.40', '2026-01-20'],
    [30, '0.60', '2026-01-20'],
  ])
  // Twice is once.
  await readProviderUsage(world.deps, payer.subscriptionId)
  expect((await world.read(payer, 'current')).total.minor).toBe(100n)

  await calls.use(payer, '5', '2026-01-19T00:00:00Z')
  await go(payer, '2026-02-01T00:10:00Z')
  // The draft says what it has counted by now: 35 × 0.02 and 0.40.
  const draft = await world.read(payer, 'closing')
  expect(draft.total.minor).toBe(110n)
  expect(await counted(payer)).toEqual([])
  await readDueUsage(world.deps)
  expect((await world.read(payer, 'closing')).total.minor).toBe(110n)
  expect((await world.read(payer, 'current')).total.minor).toBe(0n)

  await go(payer, '2026-02-01T02:00:00Z')
  const final = await world.read(payer, 'paid')
  expect(final.total.minor).toBe(110n)
  expect(final.lines.map(({ amount, asOf }) => [amount.minor, asOf])).toEqual([
    [40n, null],
    [70n, null],
  ])
  await go(payer, '2026-02-03T00:00:00Z')
  await calls.use(payer, '7', '2026-02-02T00:00:00Z')
  await readProviderUsage(world.deps, payer.subscriptionId)
  expect((await world.read(payer, 'current')).total.minor).toBe(14n)
  const { rows } = await world.pool.query(
    'select extract(epoch from period_end)::int as ends from provider_usage where subscription_id = $1',
    [payer.subscriptionId],
  )
  expect(rows).toEqual([{ ends: at('2026-03-01T00:00:00Z') }])
})

test('discounts and tax are taken off and put onto what is counted, as Stripe does', async () => {
  const calls = await metered('usd', { unit_amount_decimal: '3.3' as never })
  const plain = await stripe.prices.create({
    ...{ currency: 'usd', unit_amount: 999, product_data: { name: 'Plain' } },
    recurring: { interval: 'month' },
  })
  const coupon = await stripe.coupons.create({ percent_off: 15, duration: 'forever', name: 'Fifteen' })
  const rate = await stripe.taxRates.create({ display_name: 'VAT', percentage: 19, inclusive: false })
  const payer = await subscriber([plain.id, calls.price], {
    discounts: [{ coupon: coupon.id }],
    default_tax_rates: [rate.id],
  })
  await go(payer, '2026-01-20T00:00:00Z')
  await calls.use(payer, '101', '2026-01-05T00:00:00Z')
  await readProviderUsage(world.deps, payer.subscriptionId)
  const shown = await world.read(payer, 'current')
  // 999 and 101 × 3.3 = 333.3; 15 % of 1,332 are 199.8.
  expect(shown.subtotal.minor).toBe(1332n)
  expect(shown.discountTotal.minor).toBe(200n)
  expect(shown.total.minor).toBe(BigInt(await previewed(payer)))
})

test('what Stripe bills in another way is shown once: a price that is replaced, an end', async () => {
  const calls = await metered('usd', { unit_amount: 2 })
  const dearer = await metered('usd', { unit_amount: 5 })
  const payer = await subscriber([calls.price])
  await go(payer, '2026-01-20T00:00:00Z')
  await calls.use(payer, '30', '2026-01-05T00:00:00Z')
  await readProviderUsage(world.deps, payer.subscriptionId)
  const { items } = await stripe.subscriptions.retrieve(payer.subscription)
  await stripe.subscriptions.update(payer.subscription, {
    items: [{ id: items.data[0]?.id ?? '', price: dearer.price }],
  })
  await world.deliver()
  // Until it is asked again, and then, what was used so far is what waits at Stripe.
  const total = BigInt(await previewed(payer))
  expect((await world.read(payer, 'current')).total.minor).toBe(total)
  await readDueUsage(world.deps)
  expect((await world.read(payer, 'current')).total.minor).toBe(total)
  await dearer.use(payer, '3', '2026-01-20T00:00:00Z')
  await readProviderUsage(world.deps, payer.subscriptionId)
  expect((await counted(payer)).map(([, quantity, amount]) => [quantity, amount])).toEqual([[3, '0.15']])

  await stripe.subscriptions.cancel(payer.subscription)
  await world.deliver()
  await readProviderUsage(world.deps, payer.subscriptionId)
  expect(await readDueUsage(world.deps)).toBe(0)
  expect(await left(payer)).toBe(0)
})

test('twelve tiers are twelve lines, beyond those that travel with a preview', async () => {
  const tiers = Array.from({ length: 12 }, (_, i) => ({
    up_to: i === 11 ? ('inf' as const) : (i + 1) * 10,
    unit_amount: i + 1,
  }))
  const calls = await metered('usd', { billing_scheme: 'tiered', tiers_mode: 'graduated', tiers })
  const payer = await subscriber([calls.price])
  await go(payer, '2026-01-20T00:00:00Z')
  await calls.use(payer, '120', '2026-01-05T00:00:00Z')
  await readProviderUsage(world.deps, payer.subscriptionId)
  expect(await counted(payer)).toHaveLength(12)
  // Ten at each of 1 to 12 cents.
  expect((await world.read(payer, 'current')).total.minor).toBe(780n)
})

test('one that is going to end has its last usage, and its last invoice has it once', async () => {
  const calls = await metered('usd', { unit_amount: 2 })
  const payer = await subscriber([calls.price])
  await stripe.subscriptions.update(payer.subscription, { cancel_at_period_end: true })
  await go(payer, '2026-01-20T00:00:00Z')
  await calls.use(payer, '30', '2026-01-05T00:00:00Z')
  await readProviderUsage(world.deps, payer.subscriptionId)
  expect((await world.read(payer, 'current')).total.minor).toBe(60n)
  await go(payer, '2026-02-01T02:00:00Z')
  const paid = await world.read(payer, 'paid')
  expect(paid.total.minor).toBe(60n)
  expect(paid.lines.map(({ amount }) => amount.minor)).toEqual([60n])
  await readProviderUsage(world.deps, payer.subscriptionId)
  expect(await left(payer)).toBe(0)
})

test('usage of a trial is free, and while collection is paused it is shown all the same', async () => {
  const calls = await metered('usd', { unit_amount: 2 })
  const trial = await subscriber([calls.price], { trial_end: at('2026-01-15T00:00:00Z') })
  await go(trial, '2026-01-10T00:00:00Z')
  await calls.use(trial, '30', '2026-01-05T00:00:00Z')
  await readProviderUsage(world.deps, trial.subscriptionId)
  expect((await world.read(trial, 'current')).total.minor).toBe(0n)
  await go(trial, '2026-01-20T00:00:00Z')
  await calls.use(trial, '7', '2026-01-19T00:00:00Z')
  await readProviderUsage(world.deps, trial.subscriptionId)
  expect((await world.read(trial, 'current')).total.minor).toBe(14n)

  await stripe.subscriptions.update(trial.subscription, { pause_collection: { behavior: 'void' } })
  await world.deliver()
  await calls.use(trial, '3', '2026-01-20T00:00:00Z')
  await readProviderUsage(world.deps, trial.subscriptionId)
  expect((await world.read(trial, 'current')).total.minor).toBe(20n)
})

test('where Stripe does not answer, what it said before stays with its moment, and it is asked again', async () => {
  const calls = await metered('usd', { unit_amount: 2 })
  const payer = await subscriber([calls.price])
  await go(payer, '2026-01-20T00:00:00Z')
  await calls.use(payer, '30', '2026-01-05T00:00:00Z')
  while ((await readDueUsage(world.deps)) > 0);
  await go(payer, '2026-01-21T00:00:00Z')
  await calls.use(payer, '5', '2026-01-20T12:00:00Z')
  world.wall.time += 3600
  world.simulator.control.fail({ kind: 'error_500', path: '/v1/invoices/create_preview', times: 1000 })
  expect(await readDueUsage(world.deps)).toBe(0)
  expect(await counted(payer)).toEqual([['(at $0.02 / month)', 30, '0.60', '2026-01-20']])
  world.simulator.control.clearFaults()
  // Not before its pause is over.
  expect(await readDueUsage(world.deps)).toBe(0)
  world.wall.time += 300
  // Two processes at the same time: each takes others.
  const read = await Promise.all([readDueUsage(world.deps), readDueUsage(world.deps)])
  const { rows } = await world.pool.query('select count(*)::int as count from provider_usage_reading')
  expect(read[0] + read[1]).toBe(rows[0].count)
  expect(await counted(payer)).toEqual([['(at $0.02 / month)', 35, '0.70', '2026-01-21']])
})

test('who pays nothing that is counted there is never asked about', async () => {
  const plain = await stripe.prices.create({
    ...{ currency: 'usd', unit_amount: 100, product_data: { name: 'Flat' } },
    recurring: { interval: 'month' },
  })
  const payer = await subscriber([plain.id])
  const asked = await world.requests(async () => {
    await readDueUsage(world.deps)
    await readProviderUsage(world.deps, payer.subscriptionId)
  })
  expect(asked).toEqual([])
})

test('usage that Stripe bills before the period is over is shown once: on the invoice that has it', async () => {
  const calls = await metered('usd', { unit_amount: 2 })
  const other = await metered('usd', { unit_amount: 5 })
  const payer = await subscriber([calls.price, other.price], { billing_thresholds: { amount_gte: 100 } })
  await go(payer, '2026-01-10T00:00:00Z')
  await calls.use(payer, '40', '2026-01-09T00:00:00Z')
  while ((await readDueUsage(world.deps)) > 0);
  expect((await world.read(payer, 'current')).total.minor).toBe(80n)
  // 40 × 0.02 and 4 × 0.05 are the 1.00 that it takes; Stripe holds the draft for an hour.
  await other.use(payer, '4', '2026-01-10T00:00:00Z')
  await go(payer, '2026-01-10T02:00:00Z')
  const [issued] = (await stripe.invoices.list({ subscription: payer.subscription, limit: 1 })).data
  expect(issued).toMatchObject({ billing_reason: 'subscription_threshold', status: 'paid', total: 100 })
  // From the moment on that it is issued, whatever is asked when.
  expect(await counted(payer)).toEqual([])
  expect((await world.read(payer, 'current')).total.minor).toBe(0n)
  await calls.use(payer, '3', '2026-01-10T01:30:00Z')
  expect(await readDueUsage(world.deps)).toBe(1)
  expect((await counted(payer)).map(([, quantity, amount]) => [quantity, amount])).toContainEqual([3, '0.06'])
  expect((await world.read(payer, 'current')).total.minor).toBe(BigInt(await previewed(payer)))

  await go(payer, '2026-02-01T02:00:00Z')
  expect((await world.read(payer, 'paid')).total.minor).toBe(6n)
})

test('an answer to what was asked before such an invoice does not show again what is on it', async () => {
  const calls = await metered('usd', { unit_amount: 2 })
  const payer = await subscriber([calls.price], { billing_thresholds: { amount_gte: 100 } })
  await go(payer, '2026-01-10T00:00:00Z')
  await calls.use(payer, '40', '2026-01-09T00:00:00Z')
  const observation = await nextObservation(world.deps.db)
  const lines = await previewCounted(world.deps, payer.subscription, await itemsOf(payer))
  expect(lines.map(({ amount }) => amount)).toEqual(['80'])
  await calls.use(payer, '10', '2026-01-10T00:00:00Z')
  await go(payer, '2026-01-10T02:00:00Z')
  const asOf = at('2026-01-10T00:00:00Z')
  const { subscriptionId } = payer
  const dueAt = world.wall.time + 3600
  const written = await transaction(world.deps.db, (trx) =>
    writeReading(trx, { subscriptionId, asOf, observation, lines, dueAt }),
  )
  expect(written).toBe('overtaken')
  expect(await counted(payer)).toEqual([])
  // And it is asked again all the same.
  await readDueUsage(world.deps)
  expect((await counted(payer)).map(([, quantity]) => quantity)).toEqual([0])
})

test('where the cycle begins anew with it, so does what is shown', async () => {
  const calls = await metered('usd', { unit_amount: 2 })
  const payer = await subscriber([calls.price], {
    billing_thresholds: { amount_gte: 100, reset_billing_cycle_anchor: true },
  })
  await go(payer, '2026-01-10T00:00:00Z')
  await calls.use(payer, '40', '2026-01-09T00:00:00Z')
  await readProviderUsage(world.deps, payer.subscriptionId)
  await calls.use(payer, '10', '2026-01-10T00:00:00Z')
  await go(payer, '2026-01-10T02:00:00Z')
  expect((await world.read(payer, 'paid')).total.minor).toBe(100n)
  expect((await world.read(payer, 'current')).total.minor).toBe(0n)
})

test('one that is issued in the hour of a renewal takes nothing off what the draft of that renewal bills', async () => {
  const calls = await metered('usd', { unit_amount: 2 })
  const payer = await subscriber([calls.price], { billing_thresholds: { amount_gte: 100 } })
  await go(payer, '2026-01-31T23:40:00Z')
  // 50 × 0.02 are the 1.00 that it takes: a draft until 00:40. 3 more are left to the renewal, whose draft is one until 01:00.
  await calls.use(payer, '50', '2026-01-31T23:40:00Z')
  await go(payer, '2026-01-31T23:50:00Z')
  await calls.use(payer, '3', '2026-01-31T23:50:00Z')
  await go(payer, '2026-02-01T00:10:00Z')
  const shown = async () => (await world.read(payer, 'closing')).total.minor
  expect(await shown()).toBe(6n)
  await go(payer, '2026-02-01T00:50:00Z')
  const { data } = await stripe.invoices.list({ subscription: payer.subscription })
  expect(data.map(({ billing_reason, status, total }) => [billing_reason, status, total])).toEqual([
    ['subscription_cycle', 'draft', 6],
    ['subscription_threshold', 'paid', 100],
  ])
  expect(await shown()).toBe(6n)
  await go(payer, '2026-02-01T02:00:00Z')
  expect((await world.read(payer, 'paid')).total.minor).toBe(6n)
})
