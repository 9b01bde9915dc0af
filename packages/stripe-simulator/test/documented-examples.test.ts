// Worked examples of Stripe's pages that no other test here reproduces; each names its page.
import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { DAY, HOUR, JAN_1, refusal } from './world.ts'

const world = await sharedWorld()
const { stripe } = world

const MONTHS = [0, 31, 59, 90, 120].map((days) => JAN_1 + days * DAY)
const [, FEB_1, MAR_1, APR_1, MAY_1] = MONTHS as [number, number, number, number, number]

async function every(count: number, amount: number, interval: 'day' | 'week' | 'month' | 'year' = 'month') {
  return (await world.price(amount, { recurring: { interval, interval_count: count } })).id
}

const periods = ({ items }: Stripe.Subscription) =>
  items.data.map((item) => [item.current_period_start, item.current_period_end])

const linesOf = (invoice: unknown) =>
  (invoice as Stripe.Invoice).lines.data.map(({ description, amount }) => [description, amount])

// docs.stripe.com/billing/subscriptions/mixed-interval: 15.00 a month and 100.00 a quarter from January 1.
test('a month and a quarter: both on the first invoice, the month alone on February 1 and March 1, both on April 1', async () => {
  const { id: customer, clock } = await world.customer()
  const items = [{ price: await every(1, 1500) }, { price: await every(3, 10_000) }]
  const begun = await stripe.subscriptions.create({
    ...{ customer, items, proration_behavior: 'none', billing_mode: { type: 'flexible' } },
    ...{ collection_method: 'send_invoice', days_until_due: 5 },
  })
  expect(periods(begun)).toEqual([
    [JAN_1, FEB_1],
    [JAN_1, APR_1],
  ])
  await world.advance(clock, FEB_1 + HOUR)
  await world.advance(clock, MAR_1 + HOUR)
  await world.advance(clock, APR_1 + HOUR)
  const invoices = await world.invoices(begun.id)
  expect(invoices.map(({ total }) => total)).toEqual([11_500, 1500, 1500, 11_500])
  expect(invoices[0]).toMatchObject({ created: JAN_1, period_start: JAN_1, period_end: JAN_1 })
})

// The same page, "Billing periods": the three tables, and the row of the subscription as versions before basil tell it.
test('a month, two and three: every item has its period, the subscription the latest start and the earliest end', async () => {
  const { id: customer, clock } = await world.customer()
  const items = [
    { price: await every(1, 100) },
    { price: await every(2, 200) },
    { price: await every(3, 300) },
  ]
  const { id } = await stripe.subscriptions.create({ customer, items })
  const told = async () => {
    const older = await stripe.subscriptions.retrieve(id, {}, { apiVersion: '2025-02-24.acacia' })
    const { current_period_start: start, current_period_end: end } = older as unknown as Record<
      string,
      number
    >
    return [...periods(await stripe.subscriptions.retrieve(id)), [start, end]]
  }
  expect(await told()).toEqual([
    [JAN_1, FEB_1],
    [JAN_1, MAR_1],
    [JAN_1, APR_1],
    [JAN_1, FEB_1],
  ])
  await world.advance(clock, FEB_1)
  expect(await told()).toEqual([
    [FEB_1, MAR_1],
    [JAN_1, MAR_1],
    [JAN_1, APR_1],
    [FEB_1, MAR_1],
  ])
  await world.advance(clock, MAR_1)
  expect(await told()).toEqual([
    [MAR_1, APR_1],
    [MAR_1, MAY_1],
    [JAN_1, APR_1],
    [MAR_1, APR_1],
  ])
})

// The same page, "Interval alignment".
test.each([
  [[1, 'month'], [3, 'month'], true],
  [[1, 'month'], [1, 'year'], true],
  [[1, 'day'], [1, 'week'], true],
  [[1, 'day'], [3, 'month'], true],
  [[1, 'day'], [2, 'year'], true],
  [[2, 'week'], [4, 'week'], true],
  [[1, 'week'], [7, 'day'], true],
  [[12, 'month'], [1, 'year'], true],
  [[2, 'month'], [3, 'month'], false],
  [[4, 'month'], [6, 'month'], false],
  [[1, 'week'], [1, 'month'], false],
  [[2, 'day'], [1, 'week'], false],
  [[5, 'month'], [1, 'year'], false],
] as const)('intervals of %s and %s on one subscription: %s', async (one, other, fits) => {
  const { id: customer } = await world.customer()
  const items = [{ price: await every(one[0], 100, one[1]) }, { price: await every(other[0], 200, other[1]) }]
  const create = () => stripe.subscriptions.create({ customer, items })
  if (fits) expect((await create()).status).toBe('active')
  else expect(await refusal(create())).toMatchObject({ statusCode: 400, param: 'items' })
})

test('intervals that do not fit are refused of a change and of a phase, too', async () => {
  const { id: customer } = await world.customer()
  const [month, week] = [await every(1, 100), await every(1, 200, 'week')]
  const { id } = await stripe.subscriptions.create({ customer, items: [{ price: month }] })
  expect(await refusal(stripe.subscriptions.update(id, { items: [{ price: week }] }))).toMatchObject({
    param: 'items',
  })
  const phases = [{ items: [{ price: month }, { price: week }] }]
  const scheduled = stripe.subscriptionSchedules.create({ customer, start_date: 'now', phases })
  expect(await refusal(scheduled)).toMatchObject({ param: 'phases[0][items]' })
})

// The same page, "Pause at trial end and resume": of a month and two, halted on February 1, resumed on the 15th.
test.each([
  ['unchanged', [FEB_1, MAR_1], [FEB_1, APR_1], []],
  ['now', [FEB_1 + 14 * DAY, MAR_1 + 14 * DAY], [FEB_1 + 14 * DAY, APR_1 + 14 * DAY], [3300]],
] as const)('resumed with the anchor %s and no prorations', async (type, monthly, bimonthly, billed) => {
  const { id: customer, clock } = await world.customer({ card: null })
  const items = [{ price: await every(1, 1100) }, { price: await every(2, 2200) }]
  const { id } = await stripe.subscriptions.create({
    ...{ customer, items, trial_end: FEB_1 },
    trial_settings: { end_behavior: { missing_payment_method: 'pause' } },
  })
  await world.advance(clock, FEB_1 + HOUR)
  expect((await stripe.subscriptions.retrieve(id)).status).toBe('paused')
  await world.setCard(customer, 'pm_card_visa')
  await world.advance(clock, FEB_1 + 14 * DAY)
  const before = (await world.invoices(id)).length
  await stripe.subscriptions.resume(id, {
    ...{ billing_cycle_anchor: { type }, proration_behavior: 'none' },
    payment_behavior: 'resume_on_payment_success',
  })
  const resumed = await stripe.subscriptions.retrieve(id)
  expect(resumed.status).toBe('active')
  expect(periods(resumed)).toEqual([monthly, bimonthly])
  expect((await world.invoices(id)).slice(before).map(({ total }) => total)).toEqual(billed)
})

// The same page, "Limitations": "defaults to `min_period_end`".
test('cancel_at_period_end is the end of the shortest period, and the helpers name either', async () => {
  const { id: customer } = await world.customer()
  const items = [{ price: await every(1, 1500) }, { price: await every(3, 10_000) }]
  const { id } = await stripe.subscriptions.create({ customer, items })
  expect((await stripe.subscriptions.update(id, { cancel_at_period_end: true })).cancel_at).toBe(FEB_1)
  await stripe.subscriptions.update(id, { cancel_at_period_end: false })
  expect((await stripe.subscriptions.update(id, { cancel_at: 'max_period_end' })).cancel_at).toBe(APR_1)
  expect((await stripe.subscriptions.update(id, { cancel_at: 'min_period_end' })).cancel_at).toBe(FEB_1)
})

// docs.stripe.com/changelog/basil/2025-07-30/cancel-at-enums: cancel_at_period_end "always resolves to the earliest item period end".
test('created with cancel_at_period_end it ends with the shortest period, and the helpers name either', async () => {
  const items = [{ price: await every(1, 1500) }, { price: await every(3, 10_000) }]
  const endOf = async (more: Partial<Stripe.SubscriptionCreateParams>) => {
    const { id: customer } = await world.customer()
    return (await stripe.subscriptions.create({ customer, items, ...more })).cancel_at
  }
  expect(await endOf({ cancel_at_period_end: true })).toBe(FEB_1)
  expect(await endOf({ cancel_at: 'min_period_end' })).toBe(FEB_1)
  expect(await endOf({ cancel_at: 'max_period_end' })).toBe(APR_1)
})

// The same page: "the updated current_period_end is taken", and only cancel_at_period_end follows "further changes".
test('an end with the period goes where the period goes', async () => {
  const { id: customer } = await world.customer()
  const [early, late] = [JAN_1 + 10 * DAY, JAN_1 + 20 * DAY]
  const items = [{ price: await every(1, 1000) }]
  const { id } = await stripe.subscriptions.create({ customer, items, trial_end: early })
  const update = async (params: Stripe.SubscriptionUpdateParams) => {
    const { cancel_at, trial_end, ...next } = await stripe.subscriptions.update(id, params)
    return { cancel_at, trial_end, period_end: next.items.data[0]?.current_period_end }
  }
  expect(await update({ cancel_at: 'max_period_end', trial_end: late })).toEqual({
    ...{ cancel_at: late, trial_end: late, period_end: late },
  })
  expect(await update({ cancel_at: '' })).toMatchObject({ cancel_at: null })
  expect(await update({ cancel_at_period_end: true })).toMatchObject({ cancel_at: late })
  expect(await update({ trial_end: early })).toEqual({
    ...{ cancel_at: early, trial_end: early, period_end: early },
  })
  expect(await update({ trial_end: late })).toEqual({
    ...{ cancel_at: late, trial_end: late, period_end: late },
  })
})

const modes = ['classic', 'flexible'] as const

// docs.stripe.com/billing/subscriptions/billing-mode/compare#cancellations-in-the-customer-portal
test.each(modes)('a plan that is canceled in the portal, %s', async (type) => {
  const { id: customer } = await world.customer()
  const items = [{ price: await every(1, 1000) }]
  const { id } = await stripe.subscriptions.create({ customer, items, billing_mode: { type } })
  const session = await stripe.billingPortal.sessions.create({ customer })
  world.simulator.control.actInPortal(session.id, { action: 'cancel', subscription: id })
  expect(await stripe.subscriptions.retrieve(id)).toMatchObject({
    ...{ cancel_at: FEB_1, cancel_at_period_end: type === 'classic', canceled_at: JAN_1 },
  })
  world.simulator.control.actInPortal(session.id, { action: 'keep', subscription: id })
  expect(await stripe.subscriptions.retrieve(id)).toMatchObject({
    ...{ cancel_at: null, cancel_at_period_end: false, canceled_at: null },
  })
})

// .../billing-mode/compare#preserve-original-trial-end-date-when-subscription-cancels
test.each(modes)('an end inside a trial, %s', async (type) => {
  const { id: customer, clock } = await world.customer()
  const [early, late] = [JAN_1 + 10 * DAY, JAN_1 + 20 * DAY]
  const items = [{ price: await every(1, 1000) }]
  const { id } = await stripe.subscriptions.create({
    ...{ customer, items, trial_end: late, billing_mode: { type } },
  })
  const planned = await stripe.subscriptions.update(id, { cancel_at: early })
  expect(planned.trial_end).toBe(type === 'classic' ? early : late)
  // "doesn't automatically change `trial_end`, even if `trial_end` was originally a later date".
  const kept = await stripe.subscriptions.update(id, { cancel_at: '' })
  expect(kept.trial_end).toBe(type === 'classic' ? early : late)
  await stripe.subscriptions.update(id, { cancel_at: early })
  await world.advance(clock, late + 2 * HOUR)
  expect(await stripe.subscriptions.retrieve(id)).toMatchObject({ status: 'canceled', ended_at: early })
  // Nothing was paid, so nothing is credited.
  expect((await world.invoices(id)).map(({ total }) => total)).toEqual([0])
})

// The same section: in classic billing no trial reaches over the planned end, however the two came to be.
test.each(modes)(
  'an end inside a trial, created, asked for with it and stayed when it is prolonged, %s',
  async (type) => {
    const { id: customer } = await world.customer()
    const [early, late] = [JAN_1 + 10 * DAY, JAN_1 + 20 * DAY]
    const end = type === 'classic' ? early : late
    const items = [{ price: await every(1, 1000) }]
    const base = { customer, items, billing_mode: { type } }
    const told = ({ cancel_at, trial_end, billing_cycle_anchor, ...of }: Stripe.Subscription) => ({
      ...{ cancel_at, trial_end, billing_cycle_anchor, period_end: of.items.data[0]?.current_period_end },
    })
    const expected = { cancel_at: early, trial_end: end, billing_cycle_anchor: end, period_end: end }
    const created = await stripe.subscriptions.create({ ...base, trial_end: late, cancel_at: early })
    expect(told(created)).toEqual(expected)
    const days = await stripe.subscriptions.create({ ...base, trial_period_days: 20, cancel_at: early })
    expect(told(days)).toEqual(expected)
    const { id } = await stripe.subscriptions.create({ ...base, trial_end: JAN_1 + 5 * DAY })
    const both = await stripe.subscriptions.update(id, { trial_end: late, cancel_at: early })
    expect(told(both)).toEqual(expected)
    const prolonged = await stripe.subscriptions.update(id, { trial_end: late + DAY })
    const after = type === 'classic' ? early : late + DAY
    expect(told(prolonged)).toEqual({
      ...{ cancel_at: early, trial_end: after, billing_cycle_anchor: after, period_end: after },
    })
  },
)

// .../billing-mode/compare#update-trial-start-date-for-subsequent-trials
test.each(modes)('a second trial, %s', async (type) => {
  const { id: customer, clock } = await world.customer()
  const items = [{ price: await every(1, 1000) }]
  const { id } = await stripe.subscriptions.create({
    ...{ customer, items, trial_end: FEB_1, billing_mode: { type } },
  })
  await world.advance(clock, FEB_1 + 2 * HOUR)
  await world.advance(clock, MAR_1 + 2 * HOUR)
  const again = await stripe.subscriptions.update(id, { trial_end: APR_1, proration_behavior: 'none' })
  expect(again.trial_start).toBe(type === 'classic' ? JAN_1 : MAR_1 + 2 * HOUR)
})

async function metered(name: string, unit: Partial<Stripe.PriceCreateParams>, currency = 'gbp') {
  const event = `${name}_${Math.abs(Math.trunc(world.simulator.port))}_${++count}`
  const meter = await stripe.billing.meters.create({
    ...{ display_name: name, event_name: event, default_aggregation: { formula: 'sum' } },
  })
  const { id: product } = await world.product(name)
  const recurring = { interval: 'month', usage_type: 'metered', meter: meter.id } as const
  const price = await stripe.prices.create({ product, currency, recurring, ...unit })
  const use = (customer: string, value: string) =>
    stripe.billing.meterEvents.create({
      event_name: event,
      payload: { stripe_customer_id: customer, value },
    })
  return { price: price.id, use }
}
let count = 0

// The start that classic billing shows of a second trial is that of the first: what was used between the two is paid for.
test.each(modes)('usage before a second trial is billed, usage in it is free, %s', async (type) => {
  const { id: customer, clock } = await world.customer()
  const calls = await metered('Calls', { unit_amount: 10 }, 'usd')
  const { id } = await stripe.subscriptions.create({
    ...{ customer, items: [{ price: calls.price }], trial_end: FEB_1, billing_mode: { type } },
  })
  await world.advance(clock, FEB_1 + DAY)
  await calls.use(customer, '7')
  await world.advance(clock, FEB_1 + 2 * DAY)
  await stripe.subscriptions.update(id, { trial_end: MAR_1, proration_behavior: 'none' })
  await world.advance(clock, FEB_1 + 3 * DAY)
  await calls.use(customer, '5')
  await world.advance(clock, MAR_1 + 2 * HOUR)
  const totals = (await world.invoices(id)).map((invoice) => invoice.total)
  // 7 calls at 0.10, once.
  expect(totals.reduce((sum, total) => sum + total, 0)).toBe(70)
})

// .../billing-mode/compare#backdate-subscriptions: 100 GB in March and 150 GB in April at 10.00 for 10 GB.
test.each([
  ['classic', [25_000]],
  ['flexible', [15_000, 10_000]],
] as const)('usage of two months behind, %s', async (type, amounts) => {
  const { id: customer, clock } = await world.customer({ at: MAR_1 })
  const storage = await metered('Storage', {
    ...{ unit_amount: 1000, transform_quantity: { divide_by: 10, round: 'up' } },
  })
  await world.advance(clock, MAR_1 + 10 * DAY)
  await storage.use(customer, '100')
  await world.advance(clock, APR_1 + 10 * DAY)
  await storage.use(customer, '150')
  await world.advance(clock, MAY_1)
  const { latest_invoice: first } = await stripe.subscriptions.create({
    ...{ customer, items: [{ price: storage.price }], backdate_start_date: MAR_1 },
    ...{ billing_mode: { type }, expand: ['latest_invoice'] },
  })
  expect(linesOf(first).map(([, amount]) => amount)).toEqual(amounts)
})

// .../billing-mode/compare#standardize-trial-period-line-item-description
test.each([
  ['classic', 'Trial period for Team', '10 × hypernian_tokens (Free trial)'],
  ['flexible', 'Free trial for 1 × Team', 'Free trial for 10 × hypernian_tokens'],
] as const)('what a trial calls seats and usage, %s', async (type, seat, used) => {
  const { id: customer, clock } = await world.customer()
  const tokens = await metered('hypernian_tokens', { unit_amount: 10 }, 'usd')
  const { id } = await stripe.subscriptions.create({
    ...{ customer, trial_end: JAN_1 + 10 * DAY, billing_mode: { type } },
    items: [{ price: tokens.price }, { price: await every(1, 500) }],
  })
  await tokens.use(customer, '10')
  await world.advance(clock, JAN_1 + 10 * DAY + 2 * HOUR)
  const [first, renewal] = await world.invoices(id)
  expect(linesOf(first)).toContainEqual([seat, 0])
  expect(linesOf(renewal)).toEqual([
    ['1 × Team (at $5.00 / month)', 500],
    [used, 0],
  ])
})

// docs.stripe.com/billing/subscriptions/prorations#manually-creating-your-own-prorations
test('a proration of one’s own: an amount below zero that is billed once', async () => {
  const { id: customer } = await world.customer()
  const { id: price, product } = await world.price(1000)
  const credit = (unit_amount: number) => [
    { price_data: { currency: 'usd', product: product as string, unit_amount } },
  ]
  const { id, latest_invoice: first } = await stripe.subscriptions.create({
    ...{ customer, items: [{ price }], add_invoice_items: credit(-300), expand: ['latest_invoice'] },
  })
  expect(linesOf(first)).toEqual([
    ['Team', -300],
    ['1 × Team (at $10.00 / month)', 1000],
  ])
  await stripe.subscriptions.update(id, { add_invoice_items: credit(-200), proration_behavior: 'none' })
  const { data } = await stripe.invoiceItems.list({ customer, pending: true })
  expect(data).toMatchObject([{ amount: -200, discountable: false, proration: false }])
  // Of the rest, what an item costs is never below zero.
  const [price_data] = credit(-1).map((one) => one.price_data)
  const alone = stripe.invoiceItems.create({ customer, price_data } as Stripe.InvoiceItemCreateParams)
  expect(await refusal(alone)).toMatchObject({ param: 'price_data[unit_amount]' })
  const schedule = await stripe.subscriptionSchedules.create({
    ...{ customer, start_date: 'now', expand: ['subscription'] },
    phases: [{ items: [{ price }], add_invoice_items: credit(-400) }],
  })
  const { latest_invoice: draft } = schedule.subscription as Stripe.Subscription
  expect((await stripe.invoices.retrieve(draft as string)).subtotal).toBe(600)
})

// The 0 is the changelog's, docs.stripe.com/changelog/clover/2025-09-30/itemize-proration-discount-amounts: "include discount IDs,
// but discount amounts are 0". The words and the amount of such a line were recorded by github.com/Kiln-AI/stripe_world
// (2026-08-26.dahlia): 20.00 at 10 % off, given back whole.
test('the discount that is in a proration is named on its line, with nothing taken off', async () => {
  const { id: customer } = await world.customer()
  const coupon = await stripe.coupons.create({ percent_off: 10, duration: 'forever' })
  const { id, discounts } = await stripe.subscriptions.create({
    ...{ customer, items: [{ price: await every(1, 2000) }], discounts: [{ coupon: coupon.id }] },
  })
  const { latest_invoice: invoice } = await stripe.subscriptions.update(id, {
    ...{ trial_end: APR_1, expand: ['latest_invoice'] },
  })
  const named = [{ amount: 0, discount: discounts[0] }]
  expect(invoice).toMatchObject({ subtotal: -1800, total: -1800 })
  expect((invoice as Stripe.Invoice).lines.data[0]).toMatchObject({
    ...{ amount: -1800, description: 'Unused time on Team (with 10.0% off) after 01 Jan 2026' },
    discount_amounts: named,
  })
  const { data } = await stripe.invoiceItems.list({ customer })
  expect(data).toMatchObject([{ amount: -1800, proration_details: { discount_amounts: named } }])
})
