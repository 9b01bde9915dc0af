// What Stripe answered in 2026-08-26.dahlia to a change in the middle of a period, as recorded.
import { afterAll, expect, test } from 'vitest'
import { DAY, JAN_1, newWorld } from './world.ts'

const world = await newWorld()
const { stripe } = world
afterAll(world.close)

/** 1 February. */
const FEB_1 = JAN_1 + 31 * DAY

/** In none of the client's declarations, and there all the same. */
const ofOneItem = (subscription: object) => {
  const { plan, quantity } = subscription as { plan: { id: string } | null; quantity: number | null }
  return { plan: plan?.id ?? null, quantity }
}

test('a subscription of one item tells its plan and its number, and so do the events; of several neither', async () => {
  const [basic, plus, seat] = [await world.price(1000), await world.price(1800), await world.price(500)]
  const { id: customer } = await world.customer()
  const begun = await stripe.subscriptions.create({ customer, items: [{ price: basic.id, quantity: 2 }] })
  expect(ofOneItem(begun)).toEqual({ plan: basic.id, quantity: 2 })
  const [item] = begun.items.data
  const changed = await stripe.subscriptions.update(begun.id, {
    items: [{ id: item?.id as string, price: plus.id, quantity: 3 }],
    proration_behavior: 'none',
  })
  expect(ofOneItem(changed)).toEqual({ plan: plus.id, quantity: 3 })
  const [event] = (await world.events(['customer.subscription.updated'])).slice(-1)
  expect(event?.data.previous_attributes).toMatchObject({ plan: { id: basic.id }, quantity: 2 })
  const several = await stripe.subscriptions.update(begun.id, {
    items: [{ price: seat.id }],
    proration_behavior: 'none',
  })
  expect(ofOneItem(several)).toEqual({ plan: null, quantity: null })
})

test('an invoice of a change begins with the period that runs; its prorations have no amount of one unit', async () => {
  const [basic, plus] = [await world.price(1000), await world.price(1800)]
  const { id: customer, clock } = await world.customer()
  const { id, items } = await stripe.subscriptions.create({
    customer,
    items: [{ price: basic.id, quantity: 2 }],
  })
  const now = JAN_1 + 10 * DAY
  await world.advance(clock, now)
  await stripe.subscriptions.update(id, {
    items: [{ id: items.data[0]?.id as string, price: plus.id }],
    proration_behavior: 'always_invoice',
  })
  const [invoice] = (await world.invoices(id)).slice(-1)
  expect(invoice).toMatchObject({
    billing_reason: 'subscription_update',
    period_start: JAN_1,
    period_end: now,
  })
  // 21 of 31 days: 2 × 10.00 and 2 × 18.00.
  const period = { start: now, end: FEB_1 }
  const pricing = { unit_amount_decimal: null }
  expect(invoice?.lines.data).toMatchObject([
    { amount: -1355, quantity: 2, period, pricing },
    { amount: 2439, quantity: 2, period, pricing },
  ])
  const pending = await stripe.invoiceItems.list({ customer })
  expect(pending.data.map((one) => one.pricing?.unit_amount_decimal)).toEqual([null, null])
})

test('a subscription of nobody is 404, though its customer stands in the body', async () => {
  const price = await world.price(1000)
  const create = stripe.subscriptions.create({ customer: 'cus_nobody', items: [{ price: price.id }] })
  await expect(create).rejects.toMatchObject({
    statusCode: 404,
    code: 'resource_missing',
    param: 'customer',
    message: "No such customer: 'cus_nobody'",
  })
})
