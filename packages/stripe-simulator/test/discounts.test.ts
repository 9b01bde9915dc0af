// docs.stripe.com/billing/subscriptions/coupons and .../billing-mode
import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { DAY, HOUR, JAN_1, refusal } from './world.ts'

const world = await sharedWorld()

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
  const twice = stripe.promotionCodes.create({ promotion, code: 'spring' })
  expect((await refusal(twice)).message).toContain('already exists')
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
    // So are lines of invoices that others have published from their accounts.
    expect(invoice.lines.data.map(({ description }) => description)).toEqual([
      'Unused time on Team (with 50.0% off) after 22 Jan 2026',
      'Remaining time on 2 × Team (with 50.0% off) after 22 Jan 2026',
    ])
  },
)

test('an amount is named in a proration, too, and a part of a percent', async () => {
  const { stripe } = world
  for (const [coupon, words] of [
    [{ amount_off: 400, currency: 'usd' }, '$4.00'],
    [{ percent_off: 12.5 }, '12.5%'],
  ] as const) {
    const { id } = await stripe.coupons.create({ ...coupon, duration: 'forever' })
    const { customer, subscription } = await subscribed([3100], { discounts: [{ coupon: id }] })
    await world.advance(customer.clock, JAN_1 + DAY)
    await stripe.subscriptions.update(subscription.id, {
      items: [{ id: subscription.items.data[0]?.id as string, quantity: 2 }],
    })
    const pending = await stripe.invoiceItems.list({ customer: customer.id, pending: true })
    expect(pending.data.map(({ description }) => description)).toEqual(
      expect.arrayContaining([
        `Remaining time on 2 × Team (with ${words} off) after 02 Jan 2026`,
        `Unused time on Team (with ${words} off) after 02 Jan 2026`,
      ]),
    )
  }
})

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

// docs.stripe.com/api/coupons: an amount has a currency, others by `currency_options`.
test('an amount is taken off only in the currencies that its coupon names, whatever it is redeemed for', async () => {
  const { stripe } = world
  const euros = await stripe.coupons.create({ amount_off: 500, currency: 'eur', duration: 'forever' })
  const code = await stripe.promotionCodes.create({ promotion: { type: 'coupon', coupon: euros.id } })
  const { customer, subscription, prices } = await subscribed([2000])
  const [price, other] = [prices[0]?.id as string, (await world.price(100)).id]
  const discounts = [{ coupon: euros.id }]
  const item = { id: subscription.items.data[0]?.id as string, discounts }
  const draft = await stripe.invoices.create({ customer: customer.id })
  const ada = { customer: customer.id }
  const refused: [Promise<unknown>, string][] = [
    [stripe.subscriptions.create({ ...ada, items: [{ price }], discounts }), 'discounts[0][coupon]'],
    [
      stripe.subscriptions.create({ ...ada, items: [{ price }], discounts: [{ promotion_code: code.id }] }),
      'discounts[0][promotion_code]',
    ],
    [
      stripe.subscriptions.create({ ...ada, items: [{ price, discounts }] }),
      'items[0][discounts][0][coupon]',
    ],
    [stripe.subscriptions.update(subscription.id, { discounts }), 'discounts[0][coupon]'],
    [stripe.subscriptions.update(subscription.id, { items: [item] }), 'items[0][discounts][0][coupon]'],
    [
      stripe.subscriptions.update(subscription.id, { items: [{ price: other, discounts }] }),
      'items[0][discounts][0][coupon]',
    ],
    [stripe.invoices.update(draft.id, { discounts }), 'discounts[0][coupon]'],
    [
      stripe.subscriptionSchedules.create({
        ...ada,
        start_date: JAN_1 + DAY,
        phases: [{ items: [{ price }], discounts, duration: { interval: 'month' } }],
      }),
      'phases[0][discounts][0][coupon]',
    ],
  ]
  for (const [call, param] of refused) {
    const error = await refusal(call)
    expect([error.statusCode, error.param]).toEqual([400, param])
    expect(error.message).toMatch(/^You cannot combine currencies on a single customer\./)
  }
  expect((await stripe.coupons.retrieve(euros.id)).times_redeemed).toBe(0)

  await stripe.coupons.update(euros.id, { currency_options: { usd: { amount_off: 600 } } })
  await stripe.subscriptions.update(subscription.id, { discounts })
  const preview = await stripe.invoices.createPreview({ subscription: subscription.id })
  expect(preview).toMatchObject({ subtotal: 2000, total: 1400 })
})

test('a promotion code that asks for a minimum is for purchases that reach it', async () => {
  const { stripe } = world
  const coupon = await stripe.coupons.create({ percent_off: 10, duration: 'forever' })
  const code = async (minimum_amount: number, minimum_amount_currency: string) => {
    const restrictions = { minimum_amount, minimum_amount_currency }
    const made = await stripe.promotionCodes.create({
      promotion: { type: 'coupon', coupon: coupon.id },
      restrictions,
    })
    return [{ promotion_code: made.id }]
  }
  const { customer, subscription, prices } = await subscribed([1500])
  const { id } = subscription
  const [five, euros] = [await code(5000, 'usd'), await code(1, 'eur')]
  for (const discounts of [five, euros]) {
    const error = await refusal(stripe.subscriptions.update(id, { discounts }))
    expect([error.statusCode, error.param]).toEqual([400, 'discounts[0][promotion_code]'])
  }
  const items = [{ price: prices[0]?.id as string, quantity: 4 }]
  const more = await stripe.subscriptions.create({ customer: customer.id, items, discounts: five })
  expect(more.discounts).toHaveLength(1)
  // The same change that reaches the minimum may redeem it.
  const item = subscription.items.data[0]?.id as string
  const changed = await stripe.subscriptions.update(id, {
    items: [{ id: item, quantity: 4 }],
    discounts: five,
  })
  expect(changed.discounts).toHaveLength(1)
  const half = stripe.promotionCodes.create({
    promotion: { type: 'coupon', coupon: coupon.id },
    restrictions: { minimum_amount: 100 },
  })
  expect((await refusal(half)).param).toBe('restrictions[minimum_amount_currency]')
})

// docs.stripe.com/api/invoiceitems/create: discounts of the item come first, a percent applies to what is left.
test('an invoice item has discounts of its own, and so has a line', async () => {
  const { stripe } = world
  const percent = async (percent_off: number) =>
    (await stripe.coupons.create({ percent_off, duration: 'once' })).id
  const [half, tenth, all] = [await percent(50), await percent(10), await percent(100)]
  const { customer, subscription } = await subscribed([2000])
  const pending = await stripe.invoiceItems.create({
    customer: customer.id,
    subscription: subscription.id,
    amount: 1000,
    currency: 'usd',
    discounts: [{ coupon: half }],
  })
  expect(pending.discounts).toHaveLength(1)
  await world.advance(customer.clock, JAN_1 + 31 * DAY)
  const draft = (await world.invoices(subscription.id)).at(-1) as Stripe.Invoice
  expect(draft).toMatchObject({ subtotal: 3000, total: 2500 })
  // Of the whole invoice: 10 % of the 500 that are left, and of the 2000.
  await stripe.invoices.update(draft.id, { discounts: [{ coupon: tenth }] })
  const lines = async () =>
    (await stripe.invoices.retrieve(draft.id)).lines.data.map(({ amount, discount_amounts: off }) => [
      amount,
      off?.map((one) => one.amount),
    ])
  expect(await lines()).toEqual([
    [1000, [500, 50]],
    [2000, [200]],
  ])
  await stripe.invoices.updateLineItem(draft.id, draft.lines.data[1]?.id as string, {
    discounts: [{ coupon: all }],
  })
  expect(await lines()).toEqual([
    [1000, [500, 50]],
    [2000, [2000]],
  ])
  await stripe.invoiceItems.update(pending.id, { discounts: '' })
  expect(await lines()).toEqual([
    [1000, [100]],
    [2000, [2000]],
  ])
  // They are of that item and that line alone: the customer's next invoice is whole.
  expect(await stripe.invoices.finalizeInvoice(draft.id)).toMatchObject({ total: 900 })
  expect((await stripe.invoices.createPreview({ subscription: subscription.id })).total).toBe(2000)
})

test('an invoice uses discounts of its subscription and of its customer, and of no other', async () => {
  const { stripe } = world
  const coupon = await stripe.coupons.create({ percent_off: 20, duration: 'forever', max_redemptions: 2 })
  const { customer, subscription } = await subscribed([1000], { discounts: [{ coupon: coupon.id }] })
  const [own = ''] = subscription.discounts as string[]
  const make = (more: Stripe.InvoiceCreateParams) =>
    stripe.invoices.create({ customer: customer.id, pending_invoice_items_behavior: 'exclude', ...more })
  expect(await refusal(make({ discounts: [{ discount: own }] }))).toMatchObject({ code: 'resource_missing' })
  const within = await make({ subscription: subscription.id, discounts: [{ discount: own }] })
  expect(within.discounts).toEqual([own])
  // Named, it is not redeemed again.
  expect((await stripe.coupons.retrieve(coupon.id)).times_redeemed).toBe(1)
  world.simulator.control.discountCustomer(customer.id, coupon.id)
  const { discount } = (await stripe.customers.retrieve(customer.id)) as Stripe.Customer
  const ofCustomer = await make({ discounts: [{ discount: discount?.id ?? '' }] })
  expect([ofCustomer.discounts, (await make({})).discounts]).toEqual([[discount?.id], [discount?.id]])
  expect((await make({ discounts: '' })).discounts).toEqual([])
})

// "You can apply up to 20 discounts to a subscription, subscription item, or invoice."
// https://docs.stripe.com/billing/subscriptions/coupons
test('twenty discounts and no more', async () => {
  const { stripe } = world
  const { id: coupon } = await stripe.coupons.create({ percent_off: 1, duration: 'forever' })
  const many = (count: number) => Array.from({ length: count }, () => ({ coupon }))
  const refused = await refusal(subscribed([1000], { discounts: many(21) }))
  expect(refused).toMatchObject({ statusCode: 400, param: 'discounts' })
  const { id: customer } = await world.customer()
  const price = (await world.price(1000)).id
  const items = [{ price, discounts: many(21) }]
  expect((await refusal(stripe.subscriptions.create({ customer, items }))).param).toBe('items[0][discounts]')
  expect((await refusal(stripe.invoices.create({ customer, discounts: many(21) }))).param).toBe('discounts')
  const { subscription } = await subscribed([1000], { discounts: many(20) })
  expect(subscription.discounts).toHaveLength(20)
})
