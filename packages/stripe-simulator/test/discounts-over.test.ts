// docs.stripe.com/api/events/types: `customer.discount.deleted` "occurs whenever a coupon is removed", in every way in
// which one can be: `discounts` of an update "replaces", the empty text clears (docs.stripe.com/api/subscriptions/update).
import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { DAY, HOUR, JAN_1, refusal } from './world.ts'

const world = await sharedWorld()
const { stripe, simulator } = world

const coupon = async (percent_off: number) =>
  (await stripe.coupons.create({ percent_off, duration: 'forever' })).id

/** A customer who pays 10.00 a month, less what is taken off. */
async function subscribed(...coupons: string[]) {
  const price = await world.price(1000)
  const customer = await world.customer()
  const subscription = await stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: price.id }],
    discounts: coupons.map((id) => ({ coupon: id })),
  })
  return { customer, subscription, item: subscription.items.data[0]?.id as string }
}

/** The discounts that came and went while `story` ran, in that order. */
async function discountsDuring(story: () => Promise<unknown>) {
  const before = new Set((await world.events()).map((event) => event.id))
  await story()
  const events = (await world.events()).filter((event) => !before.has(event.id))
  const told = (type: string) =>
    events.filter((event) => event.type === type).map(({ data }) => (data.object as Stripe.Discount).id)
  return { created: told('customer.discount.created'), deleted: told('customer.discount.deleted') }
}

const discountsOf = async (id: string) =>
  (await world.stripe.subscriptions.retrieve(id)).discounts as string[]

test('discounts that an update clears or replaces are over; those that it names again stay', async () => {
  const [tenth, fifth] = [await coupon(10), await coupon(20)]
  const { subscription } = await subscribed(tenth, fifth)
  const { id } = subscription
  const [first = '', second = ''] = subscription.discounts as string[]
  const kept = await discountsDuring(() =>
    stripe.subscriptions.update(id, { discounts: [{ discount: second }, { coupon: tenth }] }),
  )
  const [, third = ''] = await discountsOf(id)
  expect(kept).toEqual({ created: [third], deleted: [first] })
  expect(await discountsDuring(() => stripe.subscriptions.update(id, { discounts: [] }))).toEqual({
    created: [],
    deleted: [],
  })
  const cleared = await discountsDuring(() => stripe.subscriptions.update(id, { discounts: '' }))
  expect(cleared.deleted.sort()).toEqual([second, third].sort())
  // What is over cannot be had again.
  const again = await refusal(stripe.subscriptions.update(id, { discounts: [{ discount: second }] }))
  expect(again).toMatchObject({ code: 'resource_missing', param: 'discounts[0][discount]' })
})

test('discounts of an item go when they are cleared, and with the item', async () => {
  const half = await coupon(50)
  const { subscription, item: one } = await subscribed()
  const price = (await world.price(2000)).id
  const two = (await stripe.subscriptionItems.create({ subscription: subscription.id, price })).id
  const discounts = [{ coupon: half }]
  const came = await discountsDuring(async () => {
    await stripe.subscriptionItems.update(one, { discounts })
    await stripe.subscriptionItems.update(two, { discounts })
  })
  expect(came.deleted).toEqual([])
  const [first, second] = came.created
  expect(
    (await discountsDuring(() => stripe.subscriptionItems.update(one, { discounts: '' }))).deleted,
  ).toEqual([first])
  expect((await discountsDuring(() => stripe.subscriptionItems.del(two))).deleted).toEqual([second])
})

test('an update that a preview or a refusal undoes ends no discount', async () => {
  const { subscription, customer, item } = await subscribed(await coupon(10))
  const { id } = subscription
  await world.setCard(customer.id, 'pm_card_chargeCustomerFail')
  const untold = await discountsDuring(async () => {
    await stripe.invoices.createPreview({ subscription: id, discounts: '' })
    const declined = stripe.subscriptions.update(id, {
      discounts: '',
      items: [{ id: item, quantity: 9 }],
      proration_behavior: 'always_invoice',
      payment_behavior: 'error_if_incomplete',
    })
    expect((await refusal(declined)).statusCode).toBe(402)
  })
  expect(untold).toEqual({ created: [], deleted: [] })
  expect(await discountsOf(id)).toEqual(subscription.discounts)
})

test.each(['paid', 'expired'])('a pending update of an item’s discounts that is %s', async (outcome) => {
  const [tenth, fifth] = [await coupon(10), await coupon(20)]
  const price = await world.price(1000)
  const customer = await world.customer()
  const subscription = await stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: price.id, discounts: [{ coupon: tenth }] }],
  })
  const [item] = subscription.items.data
  const [first] = (item?.discounts ?? []) as string[]
  await world.setCard(customer.id, 'pm_card_chargeCustomerFail')
  const pending = await discountsDuring(() =>
    stripe.subscriptions.update(subscription.id, {
      items: [{ id: item?.id as string, quantity: 2, discounts: [{ coupon: fifth }] }],
      proration_behavior: 'always_invoice',
      payment_behavior: 'pending_if_incomplete',
    }),
  )
  const [second] = pending.created
  expect(pending.deleted).toEqual([])
  const { latest_invoice: invoice } = await stripe.subscriptions.retrieve(subscription.id)
  const settled = await discountsDuring(async () => {
    if (outcome === 'expired') return world.advance(customer.clock, JAN_1 + DAY)
    await world.setCard(customer.id, 'pm_card_visa')
    return stripe.invoices.pay(invoice as string)
  })
  expect(settled).toEqual({ created: [], deleted: [outcome === 'paid' ? first : second] })
})

test('a discount that the next phase of a schedule has not is over with its phase', async () => {
  const [tenth, fifth] = [await coupon(10), await coupon(20)]
  const price = await world.price(1000)
  const customer = await world.customer()
  const month = { interval: 'month' } as const
  const items = [{ price: price.id }]
  const schedule = await stripe.subscriptionSchedules.create({
    customer: customer.id,
    start_date: 'now',
    phases: [
      { items, discounts: [{ coupon: tenth }, { coupon: fifth }], duration: month },
      { items, discounts: [{ coupon: fifth }], duration: month },
    ],
  })
  const id = schedule.subscription as string
  const [first, second] = await discountsOf(id)
  const turned = await discountsDuring(() => world.advance(customer.clock, JAN_1 + 31 * DAY + HOUR))
  expect(turned).toEqual({ created: [], deleted: [first] })
  expect(await discountsOf(id)).toEqual([second])
  // Taken off directly, the current phase has it no more and can be sent as it is.
  expect((await discountsDuring(() => stripe.subscriptions.update(id, { discounts: '' }))).deleted).toEqual([
    second,
  ])
  const { phases } = await stripe.subscriptionSchedules.retrieve(schedule.id)
  expect(phases.map((phase) => phase.discounts.length)).toEqual([2, 0])
})

test('a customer who is given another coupon is switched to it', async () => {
  const [tenth, fifth] = [await coupon(10), await coupon(20)]
  const { id } = await world.customer()
  const give = (to: string | null) => async () => simulator.control.discountCustomer(id, to)
  expect(await world.typesDuring(give(tenth))).toEqual(['customer.discount.created'])
  const had = ((await stripe.customers.retrieve(id)) as Stripe.Customer).discount
  expect(await world.typesDuring(give(fifth))).toEqual(['customer.discount.updated'])
  const has = ((await stripe.customers.retrieve(id)) as Stripe.Customer).discount
  const [event] = (await stripe.events.list({ type: 'customer.discount.updated', limit: 1 })).data
  expect(event?.data).toMatchObject({
    object: { id: has?.id, customer: id, source: { coupon: fifth } },
    previous_attributes: { id: had?.id, source: { coupon: tenth } },
  })
  expect(await world.typesDuring(give(null))).toEqual(['customer.discount.deleted'])
})

// docs.stripe.com/api/discounts/object: `end` is "the date that this discount will end".
test("the months of a customer's discount end on their day", async () => {
  const { id: half } = await stripe.coupons.create({
    percent_off: 50,
    duration: 'repeating',
    duration_in_months: 1,
  })
  const customer = await world.customer()
  simulator.control.discountCustomer(customer.id, half)
  const { discount } = (await stripe.customers.retrieve(customer.id)) as Stripe.Customer
  const end = JAN_1 + 31 * DAY
  expect(discount?.end).toBe(end)
  const running = await discountsDuring(() => world.advance(customer.clock, end - 1))
  expect(running.deleted).toEqual([])
  const over = await discountsDuring(() => world.advance(customer.clock, end))
  expect(over.deleted).toEqual([discount?.id])
  expect(await stripe.customers.retrieve(customer.id)).toMatchObject({ discount: null })
})

// A subscription shows its own until it renews; what it shows can be named.
test("a subscription's own that ran out in the middle of a year stands, and can be named, until it renews", async () => {
  const { id: half } = await stripe.coupons.create({
    percent_off: 50,
    duration: 'repeating',
    duration_in_months: 1,
  })
  const { id: product } = await stripe.products.create({ name: 'Year' })
  const { id: price } = await stripe.prices.create({
    ...{ product, currency: 'usd', unit_amount: 12_000 },
    recurring: { interval: 'year' },
  })
  const { id: customer, clock } = await world.customer()
  const { id } = await stripe.subscriptions.create({
    customer,
    items: [{ price }],
    discounts: [{ coupon: half }],
  })
  const [own = ''] = await discountsOf(id)
  const { deleted } = await discountsDuring(() => world.advance(clock, JAN_1 + 60 * DAY))
  expect(deleted).toEqual([])
  const discounts = [{ discount: own }, { coupon: await coupon(10) }]
  const updated = await stripe.subscriptions.update(id, { discounts })
  expect(updated.discounts).toEqual([own, expect.any(String)])
})

test('discounts of an invoice and of what is on it go when they are replaced, and with them', async () => {
  const [tenth, fifth] = [await coupon(10), await coupon(20)]
  const { id: customer } = await world.customer()
  const draft = (await stripe.invoices.create({ customer })).id
  const had = await discountsDuring(() => stripe.invoices.update(draft, { discounts: [{ coupon: tenth }] }))
  const replaced = await discountsDuring(() =>
    stripe.invoices.update(draft, { discounts: [{ coupon: fifth }] }),
  )
  expect(replaced.deleted).toEqual(had.created)
  // Named again, it is the same one.
  const named = [{ discount: replaced.created[0] as string }]
  expect(await discountsDuring(() => stripe.invoices.update(draft, { discounts: named }))).toEqual({
    created: [],
    deleted: [],
  })
  let item = ''
  const ofItem = await discountsDuring(async () => {
    item = (
      await stripe.invoiceItems.create({
        customer,
        invoice: draft,
        amount: 500,
        currency: 'usd',
        discounts: [{ coupon: tenth }],
      })
    ).id
  })
  const cleared = await discountsDuring(() => stripe.invoiceItems.update(item, { discounts: '' }))
  expect(cleared).toEqual({ created: [], deleted: ofItem.created })
  const again = await discountsDuring(() =>
    stripe.invoiceItems.update(item, { discounts: [{ coupon: tenth }] }),
  )
  const gone = await discountsDuring(() => stripe.invoices.del(draft))
  expect(gone.deleted.sort()).toEqual([...again.created, ...replaced.created].sort())
})

test('a draft keeps a discount that its subscription has no more, and may name it', async () => {
  const { customer, subscription } = await subscribed(await coupon(10))
  await world.advance(customer.clock, JAN_1 + 31 * DAY)
  const draft = (await world.invoices(subscription.id)).at(-1)
  const [first = ''] = subscription.discounts as string[]
  expect(draft?.discounts).toEqual([first])
  await stripe.subscriptions.update(subscription.id, { discounts: '' })
  const kept = await stripe.invoices.update(draft?.id as string, { discounts: [{ discount: first }] })
  expect(kept).toMatchObject({ discounts: [first], subtotal: 1000, total: 900 })
})

test('the discount of a subscription is deleted, and what comes is billed without it', async () => {
  // docs.stripe.com/api/discounts/subscription_delete
  const { customer, subscription } = await subscribed(await coupon(10))
  const [discount] = subscription.discounts
  let gone: Stripe.DeletedDiscount | undefined
  const types = await world.typesDuring(async () => {
    gone = await stripe.subscriptions.deleteDiscount(subscription.id)
  })
  expect(gone).toMatchObject({
    id: discount,
    object: 'discount',
    deleted: true,
    subscription: subscription.id,
  })
  expect(gone).not.toHaveProperty('end')
  expect(types.sort()).toEqual(['customer.discount.deleted', 'customer.subscription.updated'])
  expect((await stripe.subscriptions.retrieve(subscription.id)).discounts).toEqual([])
  await world.advance(customer.clock, JAN_1 + 31 * DAY + HOUR)
  expect((await world.invoices(subscription.id)).map((invoice) => invoice.total)).toEqual([900, 1000])
  expect(await refusal(stripe.subscriptions.deleteDiscount(subscription.id))).toMatchObject({
    statusCode: 404,
    code: 'resource_missing',
  })
})

test('of several discounts none is picked: that is not documented', async () => {
  const { subscription } = await subscribed(await coupon(10), await coupon(20))
  expect(await refusal(stripe.subscriptions.deleteDiscount(subscription.id))).toMatchObject({
    code: 'simulator_gap',
  })
})

test("a customer's discount is deleted", async () => {
  // docs.stripe.com/api/discounts/delete
  const { id } = await world.customer()
  simulator.control.discountCustomer(id, await coupon(10))
  expect(await stripe.customers.deleteDiscount(id)).toMatchObject({ customer: id, deleted: true })
  expect((await stripe.customers.retrieve(id)) as Stripe.Customer).toMatchObject({ discount: null })
  expect((await refusal(stripe.customers.deleteDiscount(id))).statusCode).toBe(404)
})
