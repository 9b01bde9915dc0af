// docs.stripe.com/billing/subscriptions/coupons and .../billing-mode
import type Stripe from 'stripe'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DAY, HOUR, JAN_1, newWorld, refusal, type World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await newWorld()
})
afterAll(() => world.close())

async function subscribed(amounts: number[], more: Partial<Stripe.SubscriptionCreateParams> = {}) {
  const prices = await Promise.all(amounts.map((amount) => world.price(amount)))
  const customer = await world.customer()
  const subscription = await world.stripe.subscriptions.create({
    customer: customer.id,
    items: prices.map((price) => ({ price: price.id })),
    ...more,
    expand: ['latest_invoice'],
  })
  return { customer, subscription, prices, invoice: subscription.latest_invoice as Stripe.Invoice }
}

test('an amount is shared in proportion, the rest on the last line', async () => {
  const coupon = await world.stripe.coupons.create({ amount_off: 500, currency: 'usd', duration: 'forever' })
  const { invoice } = await subscribed([2000, 1000], { discounts: [{ coupon: coupon.id }] })
  expect(invoice).toMatchObject({ subtotal: 3000, total: 2500, amount_paid: 2500 })
  const lines = invoice.lines.data.map((line) => [line.amount, line.discount_amounts?.[0]?.amount])
  expect(lines).toEqual([
    [1000, 166],
    [2000, 334],
  ])
  expect(invoice.total_discount_amounts).toMatchObject([{ amount: 500 }])
})

test.each([
  ['classic', -250],
  ['flexible', -417],
] as const)('%s: an item removed at half time under a discount of 500', async (mode, credit) => {
  const { stripe } = world
  const coupon = await stripe.coupons.create({ amount_off: 500, currency: 'usd', duration: 'forever' })
  const { customer, subscription, prices } = await subscribed([2000, 1000], {
    discounts: [{ coupon: coupon.id }],
    billing_mode: { type: mode },
  })
  const small = subscription.items.data.find((item) => item.price.id === prices[1]?.id)
  await world.advance(customer.clock, JAN_1 + (31 * DAY) / 2)
  await stripe.subscriptionItems.del(small?.id as string)
  const pending = await stripe.invoiceItems.list({ customer: customer.id, pending: true })
  expect(pending.data.map((item) => item.amount)).toEqual([credit])
})

test('once is used up by the first invoice, repeating by its months, forever never', async () => {
  const { stripe } = world
  for (const [duration, totals] of [
    ['once', [900, 1000, 1000]],
    ['repeating', [900, 900, 1000]],
    ['forever', [900, 900, 900]],
  ] as const) {
    const coupon = await stripe.coupons.create({
      percent_off: 10,
      duration,
      ...(duration === 'repeating' ? { duration_in_months: 2 } : {}),
    })
    const { customer, subscription } = await subscribed([1000], { discounts: [{ coupon: coupon.id }] })
    await world.advance(customer.clock, JAN_1 + 31 * DAY + HOUR)
    await world.advance(customer.clock, JAN_1 + 59 * DAY + HOUR)
    expect((await world.invoices(subscription.id)).map((invoice) => invoice.total)).toEqual(totals)
  }
})

test('a coupon of some products leaves other lines alone, and nothing goes below zero', async () => {
  const { stripe } = world
  const included = await world.product('Included')
  const price = await world.price(300, { product: included.id })
  const other = await world.price(1000)
  const coupon = await stripe.coupons.create({
    amount_off: 500,
    currency: 'usd',
    duration: 'forever',
    applies_to: { products: [included.id] },
  })
  const { id } = await world.customer()
  const subscription = await stripe.subscriptions.create({
    customer: id,
    items: [{ price: price.id }, { price: other.id }],
    discounts: [{ coupon: coupon.id }],
    expand: ['latest_invoice', 'discounts.source.coupon'],
  })
  expect((subscription.latest_invoice as Stripe.Invoice).total).toBe(1000)
  const [discount] = subscription.discounts as Stripe.Discount[]
  expect(discount?.source.coupon).toMatchObject({ id: coupon.id, times_redeemed: 1 })
  expect(discount?.subscription).toBe(subscription.id)
})

test('percentages are exact', async () => {
  const coupon = await world.stripe.coupons.create({ percent_off: 33.33, duration: 'forever' })
  const { invoice } = await subscribed([1000], { discounts: [{ coupon: coupon.id }] })
  // 333.3 rounds to 333.
  expect(invoice.total).toBe(667)
})

test('promotion codes: unique while active, limited, and for some customers only', async () => {
  const { stripe } = world
  const coupon = await stripe.coupons.create({ percent_off: 50, duration: 'once', max_redemptions: 5 })
  const promotion = { type: 'coupon' as const, coupon: coupon.id }
  const code = await stripe.promotionCodes.create({ promotion, code: 'SPRING', max_redemptions: 1 })
  expect((await refusal(stripe.promotionCodes.create({ promotion, code: 'spring' }))).param).toBe('code')
  expect((await refusal(stripe.promotionCodes.create({ promotion, max_redemptions: 9 }))).param).toBe(
    'max_redemptions',
  )
  const { invoice } = await subscribed([1000], { discounts: [{ promotion_code: code.id }] })
  expect(invoice.total).toBe(500)
  expect((await stripe.promotionCodes.retrieve(code.id)).active).toBe(false)
  const again = await refusal(subscribed([1000], { discounts: [{ promotion_code: code.id }] }))
  expect(again).toMatchObject({ statusCode: 400, code: 'coupon_expired' })
})

test('a deleted coupon is gone for new uses and goes on for old ones', async () => {
  const { stripe } = world
  const coupon = await stripe.coupons.create({ percent_off: 50, duration: 'forever' })
  const { customer, subscription } = await subscribed([1000], { discounts: [{ coupon: coupon.id }] })
  await stripe.coupons.del(coupon.id)
  expect(await refusal(subscribed([1000], { discounts: [{ coupon: coupon.id }] }))).toMatchObject({
    statusCode: 400,
    code: 'resource_missing',
    param: 'discounts[0][coupon]',
  })
  await world.advance(customer.clock, JAN_1 + 31 * DAY + HOUR)
  expect((await world.invoices(subscription.id)).at(-1)?.total).toBe(500)
})

test.each(['classic', 'flexible'] as const)(
  '%s: a proration has its discount in the amount',
  async (type) => {
    const { stripe } = world
    const coupon = await stripe.coupons.create({ percent_off: 50, duration: 'forever' })
    const { id, clock } = await world.customer()
    const price = await world.price(3100)
    const subscription = await stripe.subscriptions.create({
      customer: id,
      items: [{ price: price.id }],
      billing_mode: { type },
      discounts: [{ coupon: coupon.id }],
    })
    await world.advance(clock, JAN_1 + 21 * DAY)
    const changed = await stripe.subscriptions.update(subscription.id, {
      items: [{ id: subscription.items.data[0]?.id as string, quantity: 2 }],
      proration_behavior: 'always_invoice',
      expand: ['latest_invoice'],
    })
    // 10 of 31 days are left: half of 1000 back, half of 2000 to pay.
    const invoice = changed.latest_invoice as import('stripe').default.Invoice
    expect(invoice.lines.data.map(({ amount, discountable }) => [amount, discountable])).toEqual([
      [-500, false],
      [1000, false],
    ])
    expect(invoice.total).toBe(500)
  },
)

test('a preview of a new subscription knows the discounts of its items', async () => {
  const { stripe } = world
  const coupon = await stripe.coupons.create({ percent_off: 25, duration: 'forever' })
  const { id } = await world.customer()
  const price = await world.price(1000)
  const preview = await stripe.invoices.createPreview({
    customer: id,
    subscription_details: { items: [{ price: price.id, discounts: [{ coupon: coupon.id }] }] },
  })
  expect(preview).toMatchObject({ subtotal: 1000, total: 750 })
  const phases = [{ items: [{ price: price.id, discounts: [{ coupon: coupon.id }] }] }]
  const schedule = stripe.subscriptionSchedules.create({ customer: id, start_date: 'now', phases })
  expect(await refusal(schedule)).toMatchObject({ code: 'simulator_gap' })
})

test("another customer's discount is unknown", async () => {
  const { stripe } = world
  const coupon = (await stripe.coupons.create({ percent_off: 10, duration: 'forever' })).id
  const price = (await world.price(1000)).id
  const subscribe = async (discounts: import('stripe').default.SubscriptionCreateParams.Discount[]) =>
    stripe.subscriptions.create({ customer: (await world.customer()).id, items: [{ price }], discounts })
  const [discount] = (await subscribe([{ coupon }])).discounts
  const refused = await refusal(subscribe([{ discount: discount as string }]))
  expect(refused).toMatchObject({ statusCode: 400, param: 'discounts[0][discount]' })
})

// docs.stripe.com/api/events/types: customer.discount.deleted and customer.subscription.updated
test('a coupon that is used once leaves its subscription when the invoice is finalized, with an event', async () => {
  const { stripe } = world
  const coupon = await stripe.coupons.create({ percent_off: 50, duration: 'once' })
  const { customer, subscription } = await subscribed([2000], {
    discounts: [{ coupon: coupon.id }],
    collection_method: 'send_invoice',
    days_until_due: 7,
  })
  expect(subscription.discounts).toHaveLength(1)
  const types = await world.typesDuring(() => world.advance(customer.clock, JAN_1 + HOUR))
  expect(types).toEqual(
    expect.arrayContaining(['customer.discount.deleted', 'customer.subscription.updated']),
  )
  expect(await world.invoices(subscription.id)).toMatchObject([{ status: 'open', total: 1000 }])
  expect((await stripe.subscriptions.retrieve(subscription.id)).discounts).toEqual([])
})
