// What is pending at Stripe and none of ours: docs.stripe.com/billing/subscriptions/prorations and docs.stripe.com/api/invoiceitems.
import { expect, test } from 'vitest'
import { readInvoice } from '../../src/invoice/read.ts'
import type { Payer } from '../support/billing-world.ts'
import { shared } from '../support/shared.ts'
import { allAre, newTotalsWorld, type TotalsWorld } from './totals-world.ts'

const world = await shared(newTotalsWorld())

const JANUARY = '2026-01-12T00:00:00Z'

const changePlan = async (payer: Payer, to: string, more: object = {}) => {
  const { stripe } = world
  const { data } = await stripe.prices.list({ limit: 100 })
  const price = data.find(({ unit_amount: amount, currency }) => `${amount} ${currency}` === to)
  const { items } = await stripe.subscriptions.retrieve(payer.subscription)
  await stripe.subscriptions.update(payer.subscription, {
    items: [{ id: items.data[0]?.id ?? '', price: price?.id ?? '' }],
    ...more,
  })
}

const others = (shown: Awaited<ReturnType<TotalsWorld['read']>>) =>
  shown.lines.filter(({ reason }) => reason !== null).map(({ amount }) => Number(amount.minor))

test('an upgrade in the dashboard is credited and debited on the current invoice', async () => {
  const payer = await world.subscribed()
  // From 10 January to 10 February are 31 days; on the 20th 21 are left. 2001 × 21 ÷ 31 = 1355.5; 5001 × 21 ÷ 31 = 3387.8.
  await changePlan(payer, '5001 usd', { proration_behavior: 'create_prorations' })
  await world.deliver()
  expect(others(await world.read(payer, 'current')).toSorted((a, b) => a - b)).toEqual([-1356, 3388])
  await world.use(payer, '100', JANUARY)
  const all = await world.everywhere(payer)
  expect(all).toMatchObject(allAre({ total: 100 - 1356 + 3388 + 5001 }))
  expect(all.shown.lines).toContainEqual(
    expect.objectContaining({ reason: 'The payment provider prorated a change inside of a period.' }),
  )
  expect(others(await world.read(payer, 'current'))).toEqual([])
})

test('prorations carry their discount themselves', async () => {
  const payer = await world.subscribed('plain', [await world.coupon({ percent_off: 50 })])
  await changePlan(payer, '5001 usd')
  await world.deliver()
  // Nothing was taken off the first invoice: the coupon came after it. Half of 5001 is 2500.5, so 2501 is taken off, and
  // 21 days of the 2500 left are 1693.5.
  expect(await world.everywhere(payer)).toMatchObject(allAre({ total: -1356 + 1694 + 2500, off: 2501 }))
})

test('what is billed at once is pending no more, in whatever order it is heard of', async () => {
  const payer = await world.subscribed()
  await changePlan(payer, '5001 usd', { proration_behavior: 'always_invoice' })
  const events = await world.newEvents()
  for (const event of events.toReversed()) {
    await world.receive(event)
    await world.drain()
  }
  expect(others(await world.read(payer, 'current'))).toEqual([])
  expect(await world.everywhere(payer)).toMatchObject(allAre({ total: 5001 }))
})

test('what was changed by hand is seen by the next sync, and what was deleted is gone', async () => {
  const payer = await world.subscribed()
  const { customer, subscription } = payer
  const add = (amount: number) =>
    world.stripe.invoiceItems.create({ customer, subscription, amount, currency: 'usd' })
  const [kept, deleted] = [await add(300), await add(500)]
  await world.deliver()
  expect(others(await world.read(payer, 'current')).toSorted((a, b) => a - b)).toEqual([300, 500])
  await world.stripe.invoiceItems.del(deleted.id)
  await world.deliver()
  expect(others(await world.read(payer, 'current'))).toEqual([300])
  await world.stripe.invoiceItems.update(kept.id, { amount: 350 })
  await world.use(payer, '1', JANUARY)
  expect(await world.everywhere(payer)).toMatchObject(allAre({ total: 2001 + 350 + 1 }))
})

test('what no event told of is seen by the next sync, and so is that it is gone', async () => {
  const payer = await world.subscribed()
  const { customer, subscription } = payer
  const lost = await world.stripe.invoiceItems.create({
    ...{ customer, subscription, amount: 300, currency: 'usd' },
  })
  await world.newEvents()
  await world.use(payer, '1', JANUARY)
  const calls = await world.requests(() => world.sync(payer))
  expect(calls).toEqual(['GET /v1/invoiceitems', 'POST /v1/invoiceitems'])
  expect(others(await world.read(payer, 'current'))).toEqual([300])
  await world.stripe.invoiceItems.del(lost.id)
  await world.newEvents()
  await world.use(payer, '1', JANUARY)
  await world.sync(payer)
  expect(others(await world.read(payer, 'current'))).toEqual([])
  expect(await world.everywhere(payer)).toMatchObject(allAre({ total: 2003 }))
})

test('what belongs to no subscription is on the one that is billed first, and in its own currency', async () => {
  const payer = await world.subscribed()
  const { customer } = payer
  await world.stripe.invoiceItems.create({ customer, amount: 300, currency: 'usd' })
  await world.stripe.invoiceItems.create({ customer, amount: 300, currency: 'eur' })
  await world.deliver()
  expect(await world.everywhere(payer)).toMatchObject(allAre({ total: 2301 }))
})

test('while the draft is open, what it took stands on the closing invoice, and what came after waits', async () => {
  const payer = await world.subscribed()
  const { customer, subscription } = payer
  const add = (amount: number) =>
    world.stripe.invoiceItems.create({ customer, subscription, amount, currency: 'usd' })
  await add(300)
  await world.go(payer, '2026-02-10T00:30:00Z')
  await add(500)
  await world.deliver()
  expect(others(await world.read(payer, 'closing'))).toEqual([300])
  expect(others(await world.read(payer, 'current'))).toEqual([500])
  expect(await world.everywhere(payer)).toMatchObject({
    ...{ here: { total: 2501 }, preview: { total: 2501 }, final: { total: 2301 }, ours: { total: 2301 } },
  })
})

test('a trial that ends is billed for its first period, and a discount for one invoice waits for that', async () => {
  const payer = await world.subscribed('trying', [await world.coupon({ percent_off: 50, duration: 'once' })])
  await world.use(payer, '700', JANUARY)
  const all = await world.everywhere(payer, '2026-01-24T02:00:00Z')
  expect(all).toMatchObject(allAre({ total: 1000, off: 1001 }))
})

// The dashboard ends the trial: Stripe bills the first paid period at once, and usage of the trial stays free.
test.each([
  // A fifth of 20.01 is 4.002, of 20.01 + 1.00 it is 4.202.
  ['forever', 20, { total: 1601, off: 400 }, { total: 1681, off: 420 }],
  // Half of 20.01 is 10.005, so 10.01 come off, and then nothing.
  ['once', 50, { total: 1000, off: 1001 }, { total: 2101, off: 0 }],
] as const)('trial_end now, with a coupon %s of %i %', async (duration, percent_off, first, second) => {
  const payer = await world.subscribed('trying', [await world.coupon({ percent_off, duration })])
  await world.use(payer, '700', JANUARY)
  await world.sync(payer)
  await world.stripe.subscriptions.update(payer.subscription, { trial_end: 'now' })
  await world.deliver()
  const [, began] = await world.atStripe(payer)
  expect(began?.invoice).toMatchObject({
    status: 'paid',
    total: first.total,
    billing_reason: 'subscription_update',
  })
  const row = (await world.invoices(payer)).find(
    ({ providerInvoiceId }) => providerInvoiceId === began?.invoice.id,
  )
  expect(row && (await readInvoice(world.db, row.id))).toMatchObject({
    total: { minor: BigInt(first.total) },
    discountTotal: { minor: BigInt(first.off) },
  })
  await world.use(payer, '100', '2026-01-20T00:00:00Z')
  await world.go(payer, '2026-01-25T00:00:00Z')
  expect(await world.everywhere(payer, '2026-02-20T02:00:00Z')).toMatchObject(allAre(second))
})

test('of a subscription that ends with its period, usage and what is pending are billed, and no fee', async () => {
  const payer = await world.subscribed('plain', [await world.coupon({ percent_off: 50 })])
  const { customer, subscription } = payer
  await world.stripe.subscriptions.update(subscription, { cancel_at_period_end: true })
  await world.stripe.invoiceItems.create({ customer, subscription, amount: 300, currency: 'usd' })
  await world.deliver()
  await world.use(payer, '101', JANUARY)
  // Half of 401 is 200.5.
  expect(await world.everywhere(payer)).toMatchObject(allAre({ total: 200, off: 201 }))
})

test('a month of an annual plan: usage and what is pending, with the discount, and no fee', async () => {
  const payer = await world.subscribed('yearly', [await world.coupon({ percent_off: 33.3 })])
  const { customer, subscription } = payer
  await world.use(payer, '1001', JANUARY)
  await world.stripe.invoiceItems.create({ customer, subscription, amount: 99, currency: 'usd' })
  await world.deliver()
  await world.sync(payer)
  // 33.3 % of 1100 are 366.3. Stripe has no preview of the invoice of an interval.
  const shown = await world.read(payer, 'current')
  expect([shown.total.minor, shown.discountTotal.minor]).toEqual([734n, 366n])
  await world.go(payer, '2026-02-10T02:00:00Z')
  const last = (await world.atStripe(payer)).at(-1)?.invoice
  expect([last?.billing_reason, last?.total]).toEqual(['automatic_pending_invoice_item_invoice', 734])
})
