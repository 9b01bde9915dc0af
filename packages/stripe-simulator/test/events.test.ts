// The sets of events per case, as observed at the service and documented by docs.stripe.com/billing/subscriptions/webhooks.
import { expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { DAY, HOUR, JAN_1, refusal } from './world.ts'

const world = await sharedWorld()

const CLOCK = ['test_helpers.test_clock.advancing', 'test_helpers.test_clock.ready']
const PAID = [
  'invoice.finalized',
  'payment_intent.created',
  'charge.succeeded',
  'payment_intent.succeeded',
  'invoice_payment.paid',
  'invoice.updated',
  'invoice.paid',
  'invoice.payment_succeeded',
]

const sorted = (types: readonly string[]) => [...types].sort()

async function subscribe(customer: string, more: object = {}) {
  const price = await world.price(1000)
  return world.stripe.subscriptions.create({ customer, items: [{ price: price.id }], ...more })
}

test('first payment fails', async () => {
  const { id } = await world.customer({ card: 'pm_card_chargeCustomerFail' })
  const price = await world.price(1000)
  const types = await world.typesDuring(() =>
    world.stripe.subscriptions.create({ customer: id, items: [{ price: price.id }] }),
  )
  expect(sorted(types)).toEqual(
    sorted([
      'customer.subscription.created',
      'invoice.created',
      'invoice.finalized',
      'payment_intent.created',
      'charge.failed',
      'payment_intent.payment_failed',
      'invoice.payment_failed',
      'invoice.updated',
      // The customer's currency, and that it is delinquent.
      'customer.updated',
      'customer.updated',
    ]),
  )
})

test('incomplete for 23 hours', async () => {
  const { id, clock } = await world.customer({ card: 'pm_card_chargeCustomerFail' })
  const subscription = await subscribe(id)
  expect(subscription.status).toBe('incomplete')
  const types = await world.typesDuring(() => world.advance(clock, JAN_1 + 23 * HOUR))
  expect(sorted(types)).toEqual(
    sorted([
      ...CLOCK,
      'customer.subscription.updated',
      'invoice.voided',
      'invoice.updated',
      'payment_intent.canceled',
    ]),
  )
  expect(await world.stripe.subscriptions.retrieve(subscription.id)).toMatchObject({
    status: 'incomplete_expired',
    canceled_at: JAN_1 + 23 * HOUR,
    cancel_at: null,
  })
})

test('renewal', async () => {
  const { id, clock } = await world.customer()
  const subscription = await subscribe(id)
  const types = await world.typesDuring(() => world.advance(clock, JAN_1 + 32 * DAY))
  expect(sorted(types)).toEqual(
    sorted([...CLOCK, 'invoice.upcoming', 'customer.subscription.updated', 'invoice.created', ...PAID]),
  )
  const events = await world.events(['invoice.upcoming', 'customer.subscription.updated', 'invoice.created'])
  const ours = events.filter((event) => JSON.stringify(event.data).includes(subscription.id)).slice(-3)
  expect(ours.map((event) => event.created)).toEqual([JAN_1 + 24 * DAY, JAN_1 + 31 * DAY, JAN_1 + 31 * DAY])
  expect(ours.every((event) => event.request?.id === null)).toBe(true)
  expect(ours[0]?.data.object).not.toHaveProperty('id')
  const updated = ours.find((event) => event.type === 'customer.subscription.updated')
  expect(updated?.data.previous_attributes).toMatchObject({
    items: { data: [{ current_period_end: JAN_1 + 31 * DAY }] },
  })
})

test('renewal fails', async () => {
  const { id, clock } = await world.customer()
  await subscribe(id)
  await world.setCard(id, 'pm_card_chargeCustomerFail')
  const types = await world.typesDuring(() => world.advance(clock, JAN_1 + 32 * DAY))
  expect(sorted(types)).toEqual(
    sorted([
      ...CLOCK,
      'invoice.upcoming',
      'invoice.created',
      'customer.subscription.updated',
      'invoice.finalized',
      'payment_intent.created',
      'charge.failed',
      'payment_intent.payment_failed',
      'invoice.payment_failed',
      'invoice.updated',
      'customer.subscription.updated',
      'customer.updated',
    ]),
  )
})

test('upgrade and downgrade with always_invoice', async () => {
  const product = (await world.product()).id
  const small = await world.price(1000, { product })
  const large = await world.price(2500, { product })
  const { id, clock } = await world.customer()
  const subscription = await world.stripe.subscriptions.create({ customer: id, items: [{ price: small.id }] })
  const item = subscription.items.data[0]?.id as string
  await world.advance(clock, 1768608000)
  const change = (price: string) =>
    world.stripe.subscriptions.update(subscription.id, {
      items: [{ id: item, price }],
      proration_behavior: 'always_invoice',
    })
  const upgrade = await world.typesDuring(() => change(large.id))
  expect(sorted(upgrade)).toEqual(
    sorted([
      'invoiceitem.created',
      'invoiceitem.created',
      'customer.subscription.updated',
      'invoice.created',
      ...PAID,
    ]),
  )
  const downgrade = await world.typesDuring(() => change(small.id))
  expect(sorted(downgrade)).toEqual(
    sorted([
      'invoiceitem.created',
      'invoiceitem.created',
      'customer.subscription.updated',
      'invoice.created',
      'invoice.finalized',
      'invoice.paid',
      'invoice.payment_succeeded',
      'customer.updated',
    ]),
  )
  // 1210 credited, 484 debited: the rest is the customer's credit.
  expect(await world.stripe.customers.retrieve(id)).toMatchObject({ balance: -726 })
})

test('cancel now', async () => {
  const { id } = await world.customer()
  const subscription = await subscribe(id)
  const types = await world.typesDuring(() => world.stripe.subscriptions.cancel(subscription.id))
  expect(types).toEqual(['customer.subscription.deleted'])
})

test('prices and products', async () => {
  const types = await world.typesDuring(() => world.price(100))
  expect(types).toEqual(['product.created', 'price.created', 'plan.created'])
  const patterned = await world.stripe.events.list({ type: 'price.*', limit: 1 })
  expect(patterned.data[0]?.type).toBe('price.created')
})

// https://docs.stripe.com/api/events/list: `types` takes up to 20 names, and not together with `type`.
test('events are listed by several types, with patterns among them', async () => {
  const { id } = await world.stripe.customers.create({ name: 'Ada' })
  await world.stripe.customers.update(id, { name: 'Grace' })
  await world.stripe.coupons.create({ percent_off: 10 })
  const { data } = await world.stripe.events.list({ types: ['coupon.*', 'customer.updated'], limit: 2 })
  expect(data.map((event) => event.type)).toEqual(['coupon.created', 'customer.updated'])
  const both = world.stripe.events.list({ type: 'customer.created', types: ['coupon.created'] })
  expect(await refusal(both)).toMatchObject({ param: 'type' })
  const many = world.stripe.events.list({ types: Array.from({ length: 21 }, () => 'coupon.created') })
  expect(await refusal(many)).toMatchObject({ statusCode: 400 })
})
