import { defineCatalog } from '@lockstep/core/catalog'
import { defaultSyncPolicy } from '@lockstep/core/direction'
import Stripe from 'stripe'
import { expect, test } from 'vitest'
import { readEvent } from '../src/store/provider-events.ts'
import { newBillingWorld } from './support/billing-world.ts'
import { shared } from './support/shared.ts'

const world = await shared(
  newBillingWorld({
    catalog: defineCatalog({
      currency: 'usd',
      products: { cloud: { name: 'Cloud' }, compute: { name: 'Compute', unitLabel: 'second' } },
      meters: { seconds: { name: 'Seconds', unitLabel: 'second', aggregation: 'sum' } },
      plans: {
        monthly: {
          product: 'cloud',
          name: 'Monthly',
          interval: 'month',
          prices: {
            fee: { kind: 'recurring', model: 'flat', amount: '12.00' },
            compute: { meter: 'seconds', product: 'compute', model: 'perUnit', unitAmount: '0.10' },
          },
        },
      },
    }),
    sync: {
      ...defaultSyncPolicy,
      directions: {
        ...defaultSyncPolicy.directions,
        ...{ customer: 'both', plan: 'both', price: 'both', subscription: 'both' },
      },
      missingCustomer: 'create',
      missingPlan: 'create',
    },
  }),
)

const priceOf = (product: string, terms: Partial<Stripe.PriceCreateParams>) =>
  world.stripe.prices.create({ product, currency: 'usd', recurring: { interval: 'month' }, ...terms })

/** 1.005 for each thousand begun: half a cent is in no amount here. */
const unreadable: Partial<Stripe.PriceCreateParams> = {
  unit_amount_decimal: Stripe.Decimal.from('100.5'),
  transform_quantity: { divide_by: 1000, round: 'up' },
}

async function subscribe(...items: Stripe.SubscriptionCreateParams.Item[]) {
  const customer = await world.stripe.customers.create({ name: 'Somebody' })
  const method = await world.stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
  return world.stripe.subscriptions.create({
    customer: customer.id,
    default_payment_method: method.id,
    items,
  })
}

async function standing(subscription: string) {
  const { rows } = await world.pool.query(
    `select s.status, s.plan_version_id as version from subscription s join mapping m on m.entity_id = s.id
     where m.entity_type = 'subscription' and m.provider_id = $1`,
    [subscription],
  )
  return rows[0]
}

/** Tells of everything, one after the other, and says which kinds were refused. */
async function deliver(order: 'told' | 'backwards' = 'told'): Promise<string[]> {
  const events = await world.newEvents()
  const refused: string[] = []
  for (const event of order === 'told' ? events : events.toReversed()) {
    await world.receive(event)
    await world.drain()
  }
  for (const event of events) {
    const { state, problem } = (await readEvent(world.db, event.id)) ?? {}
    if (state !== 'parked') continue
    refused.push(event.type)
    expect(problem).toMatchObject({ code: 'price_unreadable' })
  }
  return refused
}

test('usage is billed at the end of a subscription on which somebody put a price that cannot be read', async () => {
  const payer = await world.register('monthly', '2026-02-01T00:00:00Z')
  await world.deliver()
  const product = await world.stripe.products.create({ name: 'Extra' })
  const { id: price } = await priceOf(product.id, unreadable)
  await world.stripe.subscriptionItems.create({ subscription: payer.subscription, price, quantity: 1 })
  expect(await deliver()).toEqual(['price.created'])
  await world.turn(payer, '2026-02-10T00:00:00Z')
  await deliver()
  await world.use(payer, '500', '2026-02-05T00:00:00Z')
  await world.turn(payer, '2026-02-20T00:00:00Z')
  await world.stripe.subscriptions.cancel(payer.subscription)
  expect(await deliver()).toEqual([])

  expect(await standing(payer.subscription)).toMatchObject({ status: 'canceled' })
  await world.sync(payer)
  const last = (await world.atStripe(payer)).at(-1)
  // 500 seconds at 0.10 are 50.00.
  expect(last?.lines).toEqual(['5000 Seconds: 500 second'])
})

test('a subscription that moves to a price that cannot be read stays on its version, and ends here when it ends there', async () => {
  const product = await world.stripe.products.create({ name: 'Moved' })
  const { id: price } = await priceOf(product.id, { unit_amount: 1000 })
  const made = await subscribe({ price, quantity: 1 })
  expect(await deliver()).toEqual([])
  const before = await standing(made.id)
  expect(before).toMatchObject({ status: 'active' })

  const { id: finer } = await priceOf(product.id, unreadable)
  const [item] = made.items.data
  await world.stripe.subscriptions.update(made.id, { items: [{ id: item?.id ?? '', price: finer }] })
  expect(await deliver()).toEqual(['price.created'])
  expect(await standing(made.id)).toEqual(before)

  await world.stripe.subscriptions.cancel(made.id)
  expect(await deliver()).toEqual([])
  expect(await standing(made.id)).toEqual({ ...before, status: 'canceled' })
})

test.each(['told', 'backwards'] as const)(
  'a price that cannot be read is refused by its own event, %s, and its product is taken up',
  async (order) => {
    const product = await world.stripe.products.create({ name: `Product ${order}` })
    await priceOf(product.id, { unit_amount: 1000 })
    await priceOf(product.id, unreadable)
    expect(await deliver(order)).toEqual(['price.created'])
    const { rows } = await world.pool.query(
      `select v.version from mapping m join plan_version v on v.plan_key = m.entity_id
       where m.entity_type = 'plan' and m.provider_id = $1`,
      [product.id],
    )
    expect(rows).toEqual([{ version: 1 }])
  },
)

test('a new subscription is taken up beside an item that cannot be read, and not on one', async () => {
  const product = await world.stripe.products.create({ name: 'Taken up' })
  const other = await world.stripe.products.create({ name: 'Beside' })
  const { id: price } = await priceOf(product.id, { unit_amount: 1000 })
  const { id: beside } = await priceOf(other.id, unreadable)
  const { id: finer } = await priceOf(product.id, unreadable)
  await deliver()

  const fine = await subscribe({ price }, { price: beside })
  expect(await deliver()).toEqual([])
  expect(await standing(fine.id)).toMatchObject({ status: 'active' })
  // Its product has a version in this rhythm, but that one costs something else.
  const first = await subscribe({ price: finer })
  expect(await deliver()).toContain('customer.subscription.created')
  expect(await standing(first.id)).toBeUndefined()
})
