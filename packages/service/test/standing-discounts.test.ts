import { discountsTakenOff } from '@lockstep/core/standing-discount'
import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { nextObservation } from '../src/store/provider-objects.ts'
import { standingDiscounts } from '../src/store/standing-discounts.ts'
import { knowDiscounts } from '../src/workflow/admit/discounts.ts'
import { newBillingWorld } from './support/billing-world.ts'
import { newInboundWorld } from './support/inbound-world.ts'
import { shared } from './support/shared.ts'

const world = await shared(newInboundWorld())

async function subscribe(more: Partial<Stripe.SubscriptionCreateParams> = {}) {
  const { stripe } = world
  const price = await stripe.prices.create({
    product_data: { name: 'Sold' },
    ...{ currency: 'jpy', unit_amount: 1000, recurring: { interval: 'month' } },
  })
  const customer = await stripe.customers.create({ name: 'Ada' })
  const method = await stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
  return stripe.subscriptions.create({
    ...{
      customer: customer.id,
      default_payment_method: method.id,
      items: [{ price: price.id, quantity: 3 }],
    },
    ...more,
  })
}

const off = (name: string, more: Partial<Stripe.CouponCreateParams> = { percent_off: 10 }) =>
  world.stripe.coupons.create({ name, duration: 'forever', ...more })

async function here({ id }: { readonly id: string }) {
  const { rows } = await world.pool.query(
    `select entity_id as id from mapping where entity_type = 'subscription' and provider_id = $1`,
    [id],
  )
  return standingDiscounts(world.db, rows[0]?.id ?? '')
}

/** Each by itself, the last first, and all of them twice. */
async function shuffled() {
  const events = await world.newEvents()
  for (const event of [...events.toReversed(), ...events]) {
    await world.receive(event)
    await world.drain()
  }
  return events
}

test('what is taken off an item, a subscription and a customer at Stripe is known here, with what it is good for', async () => {
  const { stripe, simulator } = world
  const product = await stripe.products.create({ name: 'Other' })
  const own = await off('Own', { amount_off: 50, currency: 'jpy', applies_to: { products: [product.id] } })
  const made = await subscribe({ discounts: [{ coupon: own.id }] })
  const item = made.items.data[0]?.id ?? ''
  await shuffled()
  await stripe.subscriptionItems.update(item, { discounts: [{ coupon: (await off('Of an item')).id }] })
  simulator.control.discountCustomer(made.customer as string, (await off('Of the customer')).id)
  await shuffled()
  const standing = await here(made)
  expect(standing.unread).toEqual([])
  expect(new Set(standing.discounts)).toMatchObject(
    new Set([
      {
        ...{ scope: 'item', item: { id: item, price: made.items.data[0]?.price.id }, products: [] },
        terms: { name: 'Of an item', coupon: 'of-an-item', off: { kind: 'percent', percent: '10' } },
      },
      {
        ...{ scope: 'subscription', item: null, products: [product.id] },
        terms: { name: 'Own', coupon: 'own', off: { kind: 'amount', minor: '50', currency: 'jpy' } },
      },
      { scope: 'customer', item: null, products: [], terms: { name: 'Of the customer' } },
    ]),
  )

  await stripe.subscriptions.update(made.id, { discounts: '' })
  await shuffled()
  const taken = discountsTakenOff((await here(made)).discounts, made.created + 3600)
  expect(taken.map(({ scope }) => scope)).toEqual(['item', 'customer'])
  simulator.control.discountCustomer(made.customer as string, null)
  await shuffled()
  expect((await here(made)).discounts).toMatchObject([{ scope: 'item' }])
})

test('a discount of the customer that is heard of before the customer is that of whoever is made of it', async () => {
  const made = await subscribe()
  world.simulator.control.discountCustomer(made.customer as string, (await off('Early')).id)
  const events = await world.newEvents()
  const early = events.filter(({ type }) => type === 'customer.discount.created')
  expect(early).toHaveLength(1)
  for (const event of [...early, ...events]) {
    await world.receive(event)
    await world.drain()
  }
  expect((await here(made)).discounts).toMatchObject([{ scope: 'customer', terms: { name: 'Early' } }])
})

test('what was seen before it was asked what it is good for is asked once more', async () => {
  const coupon = await off('Older')
  const made = await subscribe({ discounts: [{ coupon: coupon.id }] })
  await world.deliver()
  await world.pool.query('update provider_discount set products = null')
  expect(await here(made)).toMatchObject({ discounts: [], unread: [expect.stringMatching(/^di_/)] })
  await world.stripe.subscriptions.update(made.id, { metadata: { seen: 'again' } })
  await world.deliver()
  expect(await here(made)).toMatchObject({ discounts: [{ scope: 'subscription', products: [] }], unread: [] })
})

test('in another currency than the coupon’s own it takes off what it says for that', async () => {
  const own = await off('Dollars', {
    ...{ amount_off: 500, currency: 'usd', currency_options: { jpy: { amount_off: 700 } } },
  })
  const made = await subscribe({ discounts: [{ coupon: own.id }] })
  await world.deliver()
  expect((await here(made)).discounts).toMatchObject([
    { terms: { off: { kind: 'amount', minor: '700', currency: 'jpy' } } },
  ])
})

test('what a registration here was given is asked about when its usage is sent', async () => {
  const billing = await newBillingWorld()
  try {
    const coupon = await billing.stripe.coupons.create({
      name: 'Given',
      percent_off: 20,
      duration: 'forever',
    })
    const ada = await billing.register('plain', '2026-01-05T00:00:00Z')
    // As our own call is answered: by an id that nobody asked about.
    await billing.stripe.subscriptions.update(ada.subscription, { discounts: [{ coupon: coupon.id }] })
    await billing.deliver()
    await billing.pool.query('delete from provider_discount')
    expect((await standingDiscounts(billing.db, ada.subscriptionId)).unread).toHaveLength(1)
    await billing.use(ada, '10', '2026-01-05T00:00:00Z')
    await billing.sync(ada)
    expect(await standingDiscounts(billing.db, ada.subscriptionId)).toMatchObject({
      ...{ discounts: [{ scope: 'subscription', products: [], terms: { name: 'Given' } }], unread: [] },
    })
  } finally {
    await billing.close()
  }
})

test('an item that goes before anybody asks about its discount takes nothing off', async () => {
  const billing = await newBillingWorld()
  try {
    const { stripe } = billing
    const ada = await billing.register('plain', '2026-01-05T00:00:00Z')
    const coupon = await stripe.coupons.create({ name: 'Short', percent_off: 20, duration: 'forever' })
    const price = await stripe.prices.create({
      product_data: { name: 'More' },
      ...{ currency: 'usd', unit_amount: 500, recurring: { interval: 'month' } },
    })
    const item = await stripe.subscriptionItems.create({
      ...{ subscription: ada.subscription, price: price.id, discounts: [{ coupon: coupon.id }] },
    })
    const object = await stripe.subscriptions.retrieve(ada.subscription)
    await stripe.subscriptionItems.del(item.id)
    // Stripe says 404 of an item and names no code, unlike of everything else.
    const observation = await nextObservation(billing.db)
    await knowDiscounts(billing.deps, { type: 'subscription', source: 'enclosed', observation, object })
    const { rows } = await billing.pool.query('select id from provider_discount')
    expect(rows).toEqual([])
  } finally {
    await billing.close()
  }
})
