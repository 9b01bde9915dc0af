// docs.stripe.com/billing/subscriptions/usage-based and .../billing-mode/compare
import { describe, expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { DAY, HOUR, JAN_1, refusal } from './world.ts'

const FEB_1 = JAN_1 + 31 * DAY
const MAR_1 = FEB_1 + 28 * DAY

const world = await sharedWorld()
const meter = (
  await world.stripe.billing.meters.create({
    display_name: 'Calls',
    event_name: 'calls',
    default_aggregation: { formula: 'sum' },
  })
).id

type Invoice = import('stripe').default.Invoice
type PriceParams = import('stripe').default.PriceCreateParams

async function metered(more: Partial<PriceParams>) {
  const product = (await world.product('Calls')).id
  return world.stripe.prices.create({
    currency: 'usd',
    product,
    recurring: { interval: 'month', usage_type: 'metered', meter },
    ...more,
  })
}

const use = (customer: string, value: string, at: number) =>
  world.stripe.billing.meterEvents.create({
    event_name: 'calls',
    payload: { stripe_customer_id: customer, value },
    timestamp: at,
  })

const shown = (invoice: Invoice | undefined) =>
  invoice?.lines.data.map((line) => [line.description, line.quantity_decimal?.toString(), line.amount])

test('usage is billed in arrears by the renewal, each period what was used in it', async () => {
  const { stripe } = world
  const price = await metered({ unit_amount_decimal: '0.05' as never })
  expect(price.recurring).toMatchObject({ usage_type: 'metered', meter })
  const ada = await world.customer()
  const subscription = await stripe.subscriptions.create({ customer: ada.id, items: [{ price: price.id }] })
  // Flexible billing makes no first invoice where nothing is due in advance.
  expect(subscription).toMatchObject({ status: 'active', latest_invoice: null })
  expect(subscription.items.data[0]?.quantity).toBeUndefined()
  await world.advance(ada.clock, JAN_1 + 10 * DAY)
  await use(ada.id, '12000', JAN_1 + 10 * DAY)
  await world.advance(ada.clock, JAN_1 + 20 * DAY)
  await use(ada.id, '345', JAN_1 + 20 * DAY)
  const preview = await stripe.invoices.createPreview({ subscription: subscription.id })
  expect(preview.total).toBe(617)
  await world.advance(ada.clock, FEB_1 + 2 * HOUR)
  await use(ada.id, '20', FEB_1 + HOUR)
  const [january] = await world.invoices(subscription.id)
  // 12,345 x 0.05 = 617.25
  expect(shown(january)).toEqual([['12345 × Calls (at $0.0005 / month)', '12345', 617]])
  expect(january?.lines.data[0]?.period).toEqual({ start: JAN_1, end: FEB_1 })
  expect(january).toMatchObject({ total: 617, status: 'paid', billing_reason: 'subscription_cycle' })
  await world.advance(ada.clock, MAR_1 + 2 * HOUR)
  const february = (await world.invoices(subscription.id)).at(-1)
  expect(shown(february)).toEqual([['20 × Calls (at $0.0005 / month)', '20', 1]])
})

test('classic billing makes a first invoice of nothing', async () => {
  const { stripe } = world
  const price = await metered({ unit_amount: 5 })
  const ada = await world.customer()
  const subscription = await stripe.subscriptions.create({
    customer: ada.id,
    items: [{ price: price.id }],
    billing_mode: { type: 'classic' },
    expand: ['latest_invoice'],
  })
  expect(subscription.latest_invoice).toMatchObject({ total: 0, status: 'paid' })
  expect(shown(subscription.latest_invoice as Invoice)).toEqual([['0 × Calls (at $0.05 / month)', '0', 0]])
})

test('seats in advance and usage in arrears are on one renewal', async () => {
  const { stripe } = world
  const usage = await metered({
    billing_scheme: 'tiered',
    tiers_mode: 'graduated',
    tiers: [
      { up_to: 100, unit_amount: 0 },
      { up_to: 'inf', unit_amount: 2 },
    ],
  })
  const seats = await world.price(1000)
  const ada = await world.customer()
  const subscription = await stripe.subscriptions.create({
    customer: ada.id,
    items: [{ price: seats.id, quantity: 3 }, { price: usage.id }],
    expand: ['latest_invoice'],
  })
  expect(shown(subscription.latest_invoice as Invoice)).toEqual([['3 × Team (at $10.00 / month)', '3', 3000]])
  await world.advance(ada.clock, JAN_1 + DAY)
  await use(ada.id, '150.5', JAN_1 + DAY)
  await world.advance(ada.clock, FEB_1 + 2 * HOUR)
  const renewal = (await world.invoices(subscription.id)).at(-1)
  expect(shown(renewal)).toHaveLength(3)
  expect(shown(renewal)).toEqual(
    expect.arrayContaining([
      ['100 × Calls (Tier 1 at $0.00 / month)', '100', 0],
      ['3 × Team (at $10.00 / month)', '3', 3000],
      ['50.5 × Calls (Tier 2 at $0.02 / month)', '50.5', 101],
    ]),
  )
})

test('usage of a trial is free', async () => {
  const { stripe } = world
  const price = await metered({ unit_amount: 10 })
  const ada = await world.customer()
  const subscription = await stripe.subscriptions.create({
    customer: ada.id,
    items: [{ price: price.id }],
    trial_period_days: 7,
  })
  await world.advance(ada.clock, JAN_1 + 3 * DAY)
  await use(ada.id, '50', JAN_1 + 3 * DAY)
  await world.advance(ada.clock, JAN_1 + 9 * DAY)
  await use(ada.id, '4', JAN_1 + 9 * DAY)
  await world.advance(ada.clock, JAN_1 + (7 + 31) * DAY + 2 * HOUR)
  const totals = (await world.invoices(subscription.id)).map((invoice) => invoice.total)
  expect(totals.filter((total) => total > 0)).toEqual([40])
})

test('usage of a trial that is ended early is free as well', async () => {
  const { stripe } = world
  const price = await metered({ unit_amount: 10 })
  const ada = await world.customer()
  const { id } = await stripe.subscriptions.create({
    customer: ada.id,
    items: [{ price: price.id }],
    trial_period_days: 7,
  })
  await world.advance(ada.clock, JAN_1 + 3 * DAY)
  await use(ada.id, '50', JAN_1 + 2 * DAY)
  await stripe.subscriptions.update(id, { trial_end: 'now' })
  await world.advance(ada.clock, JAN_1 + 5 * DAY)
  await use(ada.id, '4', JAN_1 + 5 * DAY)
  await world.advance(ada.clock, JAN_1 + (3 + 31) * DAY + 2 * HOUR)
  const totals = (await world.invoices(id)).map((invoice) => invoice.total)
  expect(totals.filter((total) => total > 0)).toEqual([40])
})

describe('a price that changes while usage runs', () => {
  const packages = { transform_quantity: { divide_by: 100, round: 'up' as const } }
  test.each([
    // The published example: 0.10 per 100 calls, then 0.15. Classic bills what came after the change.
    ['classic', 75],
    ['flexible', 175],
  ] as const)('%s billing', async (mode, total) => {
    const { stripe } = world
    const first = await metered({ unit_amount: 10, ...packages })
    const next = await metered({ unit_amount: 15, product: first.product as string, ...packages })
    const ada = await world.customer()
    const subscription = await stripe.subscriptions.create({
      customer: ada.id,
      items: [{ price: first.id }],
      billing_mode: { type: mode },
    })
    await world.advance(ada.clock, JAN_1 + 10 * DAY)
    await use(ada.id, '1000', JAN_1 + 4 * DAY)
    await stripe.subscriptions.update(subscription.id, {
      items: [{ id: subscription.items.data[0]?.id as string, price: next.id }],
    })
    await world.advance(ada.clock, JAN_1 + 20 * DAY)
    await use(ada.id, '500', JAN_1 + 20 * DAY)
    await world.advance(ada.clock, FEB_1 + 2 * HOUR)
    expect((await world.invoices(subscription.id)).at(-1)?.total).toBe(total)
  })
})

test('an item that goes is billed for what it used, in flexible billing', async () => {
  const { stripe } = world
  const seats = await world.price(1000)
  const calls = await metered({ unit_amount: 3 })
  for (const [mode, amounts] of [
    ['flexible', [30]],
    ['classic', []],
  ] as const) {
    const ada = await world.customer()
    const subscription = await stripe.subscriptions.create({
      customer: ada.id,
      items: [{ price: seats.id }, { price: calls.id }],
      billing_mode: { type: mode },
    })
    await world.advance(ada.clock, JAN_1 + 2 * DAY)
    await use(ada.id, '10', JAN_1 + DAY)
    const item = subscription.items.data.find(({ price }) => price.id === calls.id)
    await stripe.subscriptionItems.del(item?.id as string)
    const pending = await stripe.invoiceItems.list({ customer: ada.id, pending: true })
    expect(pending.data.map(({ amount, proration }) => [amount, proration])).toEqual(
      amounts.map((amount) => [amount, false]),
    )
  }
})

test('the end bills what was used: at the planned end, or now when it is asked for', async () => {
  const { stripe } = world
  const price = await metered({ unit_amount: 100 })
  for (const how of ['planned', 'invoice_now', 'dropped'] as const) {
    const ada = await world.customer()
    const subscription = await stripe.subscriptions.create({ customer: ada.id, items: [{ price: price.id }] })
    await world.advance(ada.clock, JAN_1 + 5 * DAY)
    await use(ada.id, '7', JAN_1 + 5 * DAY)
    if (how === 'planned') {
      await stripe.subscriptions.update(subscription.id, { cancel_at_period_end: true })
      await world.advance(ada.clock, FEB_1 + 2 * HOUR)
    } else {
      await stripe.subscriptions.cancel(subscription.id, { invoice_now: how === 'invoice_now' })
      const drafts = (await world.invoices(subscription.id)).map(({ status, period_start, period_end }) => [
        status,
        period_start,
        period_end,
      ])
      expect(drafts).toEqual(how === 'dropped' ? [] : [['draft', JAN_1, JAN_1 + 5 * DAY]])
      await world.advance(ada.clock, JAN_1 + 5 * DAY + 2 * HOUR)
    }
    const totals = (await world.invoices(subscription.id)).map(({ total, status }) => [total, status])
    expect(totals).toEqual(how === 'dropped' ? [] : [[700, 'paid']])
    // The second of the cancellation counts, and no line reaches past it.
    const [final] = await world.invoices(subscription.id)
    const end = how === 'planned' ? FEB_1 : JAN_1 + 5 * DAY
    if (final !== undefined) expect(final.lines.data[0]?.period).toEqual({ start: JAN_1, end })
  }
})

test('a metered price needs a meter that is there, and no quantity', async () => {
  const { stripe } = world
  const product = (await world.product()).id
  const base = { currency: 'usd', product, unit_amount: 1 }
  const recurring = { interval: 'month', usage_type: 'metered' } as const
  expect(await refusal(stripe.prices.create({ ...base, recurring }))).toMatchObject({
    statusCode: 400,
    message: 'Starting with Stripe version `2025-03-31.basil`, metered prices must be backed by meters.',
  })
  const unknown = stripe.prices.create({ ...base, recurring: { ...recurring, meter: 'mtr_none' } })
  expect(await refusal(unknown)).toMatchObject({ code: 'resource_missing', param: 'recurring[meter]' })
  const licensed = stripe.prices.create({ ...base, recurring: { interval: 'month', meter } })
  expect(await refusal(licensed)).toMatchObject({ statusCode: 400, param: 'recurring[meter]' })
  const price = await metered({ unit_amount: 1 })
  const ada = await world.customer()
  const counted = stripe.subscriptions.create({ customer: ada.id, items: [{ price: price.id, quantity: 2 }] })
  expect(await refusal(counted)).toMatchObject({ statusCode: 400, param: 'items[0][quantity]' })
})
