import { defineCatalog } from '@lockstep/core/catalog'
import { expect, test } from 'vitest'
import { doDue } from '../src/workflow/due.ts'
import { newBillingWorld } from './support/billing-world.ts'
import { shared } from './support/shared.ts'
import { subscribeThere } from './support/subscribe-there.ts'

// Plans come in, and what is missing is put before a person: nothing is made with the item that names it.
const world = await shared(
  newBillingWorld({
    catalog: defineCatalog({ currency: 'usd', products: {}, plans: {} }),
    sync: {
      directions: {
        ...{ customer: 'inbound', plan: 'inbound', price: 'inbound' },
        ...{ subscription: 'inbound', invoice: 'both' },
      },
      ...{ missingCustomer: 'park', missingPlan: 'park' },
    },
  }),
)

async function sold(name: string, unitAmount: number) {
  const product = await world.stripe.products.create({ name })
  return world.stripe.prices.create({
    ...{ product: product.id, currency: 'usd', unit_amount: unitAmount, recurring: { interval: 'month' } },
  })
}

async function termsOf(providerId: string) {
  const { rows } = await world.pool.query(
    `select v.plan_key, s.addons from subscription s join mapping m on m.entity_id = s.id
     join plan_version v on v.id = s.plan_version_id where m.provider_id = $1`,
    [providerId],
  )
  return rows
}

const due = () => doDue({ ...world.deps, workflows: world.workflows })

// Events come in any order: https://docs.stripe.com/webhooks#event-ordering
test.each(['product first', 'price first'])(
  'an item that is heard of before its product is attached when that is known: %s',
  async (order) => {
    const plan = await sold(`Plan, ${order}`, 2500)
    const subscription = await subscribeThere(world.stripe, plan.id)
    const beside = await subscribeThere(world.stripe, plan.id)
    await world.deliver()
    const extra = await sold(`Extra, ${order}`, 500)
    await world.stripe.subscriptionItems.create({
      subscription: subscription.id,
      price: extra.id,
      quantity: 4,
    })
    const events = await world.newEvents()
    const isOf = (kind: string) => events.filter(({ type }) => type === `${kind}.created`)
    const early = events.filter(({ type }) => type.startsWith('customer.subscription.'))
    for (const event of early) await world.receive(event)
    await world.drain()
    const [before] = await termsOf(subscription.id)
    expect(before?.addons).toEqual([])
    const kinds = order === 'product first' ? ['product', 'price'] : ['price', 'product']
    for (const kind of kinds) {
      for (const event of isOf(kind)) await world.receive(event)
      await world.drain()
    }
    expect(await world.requests(due)).toEqual(['GET /v1/subscriptions/:id'])
    const [after] = await termsOf(subscription.id)
    const addon = order === 'product first' ? 'extra-product-first' : 'extra-price-first'
    expect(after).toEqual({ plan_key: before?.plan_key, addons: [{ addon, version: 1, quantity: 4 }] })
    expect(await termsOf(beside.id)).toEqual([before])
    // Of a price that was seen before nobody is asked again who has it.
    const rename = async (nickname: string) => {
      await world.stripe.prices.update(extra.id, { nickname })
      const renamed = (await world.newEvents()).filter(({ type }) => type === 'price.updated')
      for (const event of renamed) await world.receive(event)
      return world.requests(world.drain)
    }
    await rename('Another name')
    expect(await rename('A third name')).toEqual([])
    expect(await world.requests(due)).toEqual([])
  },
)
