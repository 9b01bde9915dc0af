// Expected amounts: docs.stripe.com/billing/subscriptions/prorations and .../billing-mode, and hand arithmetic.
import type Stripe from 'stripe'
import { describe, expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { amounts, DAY, HOUR, JAN_1, refusal, type World } from './world.ts'

const world = await sharedWorld()

const modes = ['classic', 'flexible'] as const

/** Changes a subscription at `at` and answers the lines that the change made. */
async function changed(story: {
  mode: (typeof modes)[number]
  start: number
  at: number
  from: Parameters<World['price']>
  to: Parameters<World['price']>
  quantities?: [number, number]
}) {
  const { stripe } = world
  const product = (await world.product('Team')).id
  const from = await world.price(story.from[0], { ...story.from[1], product })
  const to = await world.price(story.to[0], { ...story.to[1], product })
  const { id, clock } = await world.customer({ at: story.start })
  const [before, after] = story.quantities ?? [1, 1]
  const subscription = await stripe.subscriptions.create({
    customer: id,
    items: [{ price: from.id, quantity: before }],
    billing_mode: { type: story.mode },
  })
  await world.advance(clock, story.at)
  const items = [{ id: subscription.items.data[0]?.id as string, price: to.id, quantity: after }]
  const preview = await stripe.invoices.createPreview({
    subscription: subscription.id,
    subscription_details: { items, proration_behavior: 'always_invoice', proration_date: story.at },
  })
  const updated = await stripe.subscriptions.update(subscription.id, {
    items,
    proration_behavior: 'always_invoice',
    proration_date: story.at,
    expand: ['latest_invoice'],
  })
  return {
    preview,
    invoice: updated.latest_invoice as import('stripe').default.Invoice,
    subscription: updated,
  }
}

describe.each(modes)('%s prorations, to the second and the cent', (mode) => {
  test('1000 to 2500 after 16 of 31 days', async () => {
    const at = 1768608000
    const { invoice, preview } = await changed({ mode, start: JAN_1, at, from: [1000], to: [2500] })
    expect(amounts(invoice)).toEqual([-484, 1210])
    expect(invoice.total).toBe(726)
    expect(invoice.status).toBe('paid')
    expect(preview.total).toBe(726)
    expect(amounts(preview)).toEqual([-484, 1210])
    expect(invoice.lines.data.map((line) => line.description)).toEqual([
      'Unused time on Team after 17 Jan 2026',
      'Remaining time on Team after 17 Jan 2026',
    ])
  })

  test('5 to 8 seats at 2999 in the middle of a day in February', async () => {
    const { invoice, preview } = await changed({
      mode,
      start: 1769904000,
      at: 1770813000,
      from: [2999],
      to: [2999],
      quantities: [5, 8],
    })
    expect(amounts(invoice)).toEqual([-9361, 14977])
    expect(invoice.total).toBe(5616)
    expect(preview.total).toBe(5616)
    expect(invoice.lines.data[0]?.description).toBe('Unused time on 5 × Team after 11 Feb 2026')
  })

  test('yen have no smaller coin: 1000 to 3000 with a third left', async () => {
    const { invoice } = await changed({
      mode,
      start: 1775001600,
      at: 1776729600,
      from: [1000, { currency: 'jpy' }],
      to: [3000, { currency: 'jpy' }],
    })
    expect(amounts(invoice)).toEqual([-333, 1000])
    expect(invoice.total).toBe(667)
    expect(invoice.currency).toBe('jpy')
  })

  test('a yearly subscription canceled with prorate after 92 of 365 days', async () => {
    const { stripe } = world
    const price = await world.price(24000, { recurring: { interval: 'year' } })
    const { id, clock } = await world.customer({ at: 1772323200 })
    const subscription = await stripe.subscriptions.create({
      customer: id,
      items: [{ price: price.id }],
      billing_mode: { type: mode },
    })
    await world.advance(clock, 1780272000)
    await stripe.subscriptions.cancel(subscription.id, { prorate: true })
    const pending = await stripe.invoiceItems.list({ customer: id, pending: true })
    expect(pending.data.map((item) => item.amount)).toEqual([-17951])
    expect(pending.data[0]?.proration).toBe(true)
  })
})

test('a change made with `none` is credited by its price in classic, by what was paid in flexible', async () => {
  const { stripe } = world
  const product = (await world.product()).id
  const small = await world.price(1000, { product })
  const large = await world.price(2000, { product })
  for (const [mode, expected] of [
    ['classic', -334],
    ['flexible', 0],
  ] as const) {
    const { id, clock } = await world.customer({ at: 1775001600 })
    const subscription = await stripe.subscriptions.create({
      customer: id,
      items: [{ price: small.id }],
      billing_mode: { type: mode },
    })
    const item = subscription.items.data[0]?.id as string
    await stripe.subscriptions.update(subscription.id, {
      items: [{ id: item, price: large.id }],
      proration_behavior: 'none',
    })
    // April has 30 days: on the 21st a third of it is left.
    await world.advance(clock, 1776729600)
    await stripe.subscriptions.update(subscription.id, { items: [{ id: item, price: small.id }] })
    const pending = await stripe.invoiceItems.list({ customer: id, pending: true })
    expect(pending.data.reduce((sum, line) => sum + line.amount, 0)).toBe(expected)
  }
})

test('create_prorations waits for the renewal, which bills both and the new price', async () => {
  const { stripe } = world
  const product = (await world.product()).id
  const [small, large] = [await world.price(1000, { product }), await world.price(2500, { product })]
  const { id, clock } = await world.customer()
  const subscription = await stripe.subscriptions.create({ customer: id, items: [{ price: small.id }] })
  await world.advance(clock, 1768608000)
  const types = await world.typesDuring(() =>
    stripe.subscriptions.update(subscription.id, {
      items: [{ id: subscription.items.data[0]?.id as string, price: large.id }],
    }),
  )
  expect(types).toEqual(['invoiceitem.created', 'invoiceitem.created', 'customer.subscription.updated'])
  const preview = await stripe.invoices.createPreview({ subscription: subscription.id })
  await world.advance(clock, JAN_1 + 31 * DAY + 2 * HOUR)
  const renewal = (await world.invoices(subscription.id)).at(-1)
  expect(renewal?.billing_reason).toBe('subscription_cycle')
  expect(renewal && amounts(renewal)).toEqual([-484, 1210, 2500])
  expect(amounts(preview)).toEqual([-484, 1210, 2500])
  expect(preview.total).toBe(renewal?.total)
})

test.each(modes)(
  '%s: monthly to yearly with the anchor reset credits the month and bills a whole year',
  async (type) => {
    const { stripe } = world
    const product = (await world.product()).id
    const month = await world.price(2500, { product })
    const year = await world.price(25000, { product, recurring: { interval: 'year' } })
    const { id } = await world.customer()
    const subscription = await stripe.subscriptions.create({
      customer: id,
      items: [{ price: month.id }],
      billing_mode: { type },
    })
    const updated = await stripe.subscriptions.update(subscription.id, {
      items: [{ id: subscription.items.data[0]?.id as string, price: year.id }],
      proration_behavior: 'always_invoice',
      billing_cycle_anchor: { type: 'now' },
      expand: ['latest_invoice'],
    })
    const invoice = updated.latest_invoice as import('stripe').default.Invoice
    expect(amounts(invoice)).toEqual([-2500, 25000])
    expect(invoice.amount_due).toBe(22500)
    expect(invoice.lines.data.map((line) => line.parent?.subscription_item_details?.proration)).toEqual([
      true,
      false,
    ])
    expect(updated.items.data[0]?.current_period_end).toBe(JAN_1 + 365 * DAY)
  },
)

test('classic restarts the period on a change of interval, flexible keeps the anchor', async () => {
  const { stripe } = world
  const product = (await world.product()).id
  const month = await world.price(3100, { product })
  const year = await world.price(36_500, { product, recurring: { interval: 'year' } })
  for (const [mode, lines, anchor, end] of [
    // 15 of 31 days are left of the month; classic bills a whole year from now on.
    ['classic', [-1500, 36_500], JAN_1 + 16 * DAY, JAN_1 + 381 * DAY],
    // Flexible bills what is left of the year that the anchor began: 349 of 365 days.
    ['flexible', [-1500, 34_900], JAN_1, JAN_1 + 365 * DAY],
  ] as const) {
    const { id, clock } = await world.customer()
    const subscription = await stripe.subscriptions.create({
      customer: id,
      items: [{ price: month.id }],
      billing_mode: { type: mode },
    })
    await world.advance(clock, JAN_1 + 16 * DAY)
    const updated = await stripe.subscriptions.update(subscription.id, {
      items: [{ id: subscription.items.data[0]?.id as string, price: year.id }],
      expand: ['latest_invoice'],
    })
    expect(amounts(updated.latest_invoice as import('stripe').default.Invoice)).toEqual(lines)
    expect(updated.billing_cycle_anchor).toBe(anchor)
    expect(updated.items.data[0]?.current_period_end).toBe(end)
  }
})

test('a second change credits what the first one debited', async () => {
  const { stripe } = world
  const product = (await world.product()).id
  const prices = await Promise.all([1000, 2500, 700].map((amount) => world.price(amount, { product })))
  for (const mode of modes) {
    const { id, clock } = await world.customer()
    const subscription = await stripe.subscriptions.create({
      customer: id,
      items: [{ price: prices[0]?.id as string }],
      billing_mode: { type: mode },
    })
    const item = subscription.items.data[0]?.id as string
    await world.advance(clock, 1768608000)
    await stripe.subscriptions.update(subscription.id, {
      items: [{ id: item, price: prices[1]?.id as string }],
    })
    await world.advance(clock, 1768608000 + 5 * DAY)
    await stripe.subscriptions.update(subscription.id, {
      items: [{ id: item, price: prices[2]?.id as string }],
    })
    const pending = await stripe.invoiceItems.list({ customer: id, pending: true })
    // 10 of 31 days are left: 2500 x 10/31 = 806.45, and 1210 x 10/15 = 806.67; 700 x 10/31 = 225.81.
    const credit = mode === 'classic' ? -806 : -807
    expect(pending.data.map((line) => line.amount).reverse()).toEqual([-484, 1210, credit, 226])
  }
})

test('a first period up to a future anchor is billed in proportion, or not at all', async () => {
  const { stripe } = world
  const price = await world.price(3100)
  for (const [behavior, total] of [
    ['create_prorations', 1000],
    ['none', 0],
  ] as const) {
    const { id } = await world.customer()
    const subscription = await stripe.subscriptions.create({
      customer: id,
      items: [{ price: price.id }],
      billing_cycle_anchor: JAN_1 + 10 * DAY,
      proration_behavior: behavior,
      expand: ['latest_invoice'],
    })
    // The month that ends at the anchor began on 11 December and has 31 days.
    expect((subscription.latest_invoice as import('stripe').default.Invoice).total).toBe(total)
    expect(subscription.items.data[0]?.current_period_end).toBe(JAN_1 + 10 * DAY)
  }
})

test('an end inside a period credits what is left of it when it comes', async () => {
  const { stripe } = world
  const price = await world.price(3100)
  const { id, clock } = await world.customer()
  const subscription = await stripe.subscriptions.create({ customer: id, items: [{ price: price.id }] })
  await stripe.subscriptions.update(subscription.id, { cancel_at: JAN_1 + 11 * DAY })
  const preview = await stripe.invoices.createPreview({ subscription: subscription.id })
  expect(preview.total).toBe(-2000)
  await world.advance(clock, JAN_1 + 11 * DAY + HOUR)
  expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('canceled')
  expect((await world.invoices(subscription.id)).at(-1)).toMatchObject({ total: -2000, status: 'paid' })
  expect(await stripe.customers.retrieve(id)).toMatchObject({ balance: -2000 })
})

test.each([
  ['classic', 'always_invoice', 3100],
  ['classic', 'create_prorations', 3600],
  ['flexible', 'always_invoice', 3600],
] as const)(
  '%s: what was pending before an anchor reset with %s',
  async (type, proration_behavior, total) => {
    const { stripe } = world
    const price = await world.price(3100)
    const { id } = await world.customer()
    const subscription = await stripe.subscriptions.create({
      customer: id,
      items: [{ price: price.id }],
      billing_mode: { type },
    })
    await stripe.invoiceItems.create({
      customer: id,
      subscription: subscription.id,
      amount: 500,
      currency: 'usd',
    })
    const reset = await stripe.subscriptions.update(subscription.id, {
      billing_cycle_anchor: { type: 'now' },
      proration_behavior,
      expand: ['latest_invoice'],
    })
    // The month that was paid a moment ago comes back, another is billed; 5.00 were pending.
    expect((reset.latest_invoice as import('stripe').default.Invoice).total).toBe(total - 3100)
  },
)

// docs.stripe.com/billing/subscriptions/mixed-interval: "only available in flexible billing mode".
test('classic keeps to one interval: a change of some items alone, or another item, is refused', async () => {
  const { stripe } = world
  const [a, b] = [await world.price(1000), await world.price(2000)]
  const [week, dearer] = [
    await world.price(100, { recurring: { interval: 'week' } }),
    await world.price(300, { recurring: { interval: 'week' } }),
  ]
  const { id: customer } = await world.customer()
  const { id, items } = await stripe.subscriptions.create({
    customer,
    items: [{ price: a.id }, { price: b.id }],
    billing_mode: { type: 'classic' },
  })
  const [first, second] = items.data.map((item) => item.id) as [string, string]
  for (const call of [
    stripe.subscriptions.update(id, { items: [{ price: week.id }] }),
    stripe.subscriptions.update(id, { items: [{ id: first, price: week.id }] }),
    stripe.subscriptionItems.create({ subscription: id, price: week.id }),
    stripe.subscriptionItems.update(second, { price: week.id }),
  ]) {
    const error = await refusal(call)
    expect([error.statusCode, error.param]).toEqual([400, 'items'])
  }
  const both = await stripe.subscriptions.update(id, {
    items: [
      { id: first, price: week.id },
      { id: second, price: dearer.id },
    ],
  })
  expect(both.items.data.map((item) => item.current_period_end)).toEqual([JAN_1 + 7 * DAY, JAN_1 + 7 * DAY])
})

// docs.stripe.com/billing/subscriptions/prorations#prorations-and-discounts: an amount off is shared by what is there.
test.each(['as they stand', 'backwards'] as const)(
  'of 10.00 off each new price has its share of all of them, named %s',
  async (order) => {
    const { stripe } = world
    const ada = await world.customer()
    const coupon = await stripe.coupons.create({ amount_off: 1000, currency: 'usd', duration: 'forever' })
    const [a, b] = [(await world.price(1000)).id, (await world.price(2000)).id]
    const { id, items } = await stripe.subscriptions.create({
      customer: ada.id,
      items: [{ price: a }, { price: b }],
      discounts: [{ coupon: coupon.id }],
    })
    await world.advance(ada.clock, JAN_1 + 15.5 * DAY)
    const changes = [
      {
        id: items.data.find(({ price }) => price.id === a)?.id as string,
        price: (await world.price(3000)).id,
      },
      {
        id: items.data.find(({ price }) => price.id === b)?.id as string,
        price: (await world.price(1000)).id,
      },
    ]
    const changed = await stripe.subscriptions.update(id, {
      items: order === 'backwards' ? changes.toReversed() : changes,
      proration_behavior: 'always_invoice',
      expand: ['latest_invoice'],
    })
    // 3000 and 1000 less 750 and 250, for half of January.
    const debits = amounts(changed.latest_invoice as Stripe.Invoice).filter((amount) => amount > 0)
    expect(debits.toSorted((a, b) => b - a)).toEqual([1125, 375])
  },
)
