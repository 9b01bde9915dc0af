import { defineCatalog } from '@lockstep/core/catalog'
import type { Directions } from '@lockstep/core/direction'
import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { newBell } from '../src/bell.ts'
import { mappingRoutes } from '../src/http/routes/mappings.ts'
import { doDue } from '../src/workflow/due.ts'
import { type BillingWorld, newBillingWorld } from './support/billing-world.ts'
import { newServer } from './support/server.ts'
import { shared } from './support/shared.ts'

// Which product at Stripe an add-on is, as a person says.

const catalog = defineCatalog({
  currency: 'usd',
  products: { team: { name: 'Team' }, backups: { name: 'Backups' } },
  plans: {
    team: {
      name: 'Team',
      product: 'team',
      interval: 'month',
      prices: { fee: { kind: 'recurring', model: 'flat', amount: '20.00' } },
    },
  },
  addons: {
    backups: {
      name: 'Backups',
      product: 'backups',
      interval: 'month',
      prices: { each: { kind: 'recurring', model: 'perUnit', unitAmount: '3.00' } },
    },
  },
})

/** Customers and subscriptions come in; a missing plan is a person's matter. */
const newWorld = (sold: Pick<Directions, 'plan' | 'price'>): Promise<BillingWorld> =>
  newBillingWorld({
    catalog,
    sync: {
      directions: { customer: 'both', ...sold, subscription: 'both', invoice: 'both' },
      ...{ missingCustomer: 'create', missingPlan: 'park' },
    },
  })

function handsOn(world: BillingWorld) {
  const { stripe } = world
  const server = newServer({ db: world.db }, { clock: world.deps.clock }).then((made) => {
    mappingRoutes(made.app, { ...world.deps, bell: newBell() })
    return made
  })

  async function ask(method: 'GET' | 'POST' | 'DELETE', url: string, payload?: object) {
    const { status, body } = await (await server).call({ method, url, ...(payload && { payload }) })
    const answer = body as Record<string, unknown>
    return { body: answer, said: status < 300 ? status : `${status} ${answer.code}` }
  }

  return {
    ask,
    link: (entityType: string, entityId: string, providerId: string) =>
      ask('POST', '/v1/mappings', { entityType, entityId, providerId }),
    unlink: (entityType: string, entityId: string) => ask('DELETE', `/v1/mappings/${entityType}/${entityId}`),

    async sold(name: string, unitAmount: number) {
      const product = await stripe.products.create({ name })
      const price = await stripe.prices.create({
        ...{
          product: product.id,
          currency: 'usd',
          unit_amount: unitAmount,
          recurring: { interval: 'month' },
        },
      })
      await world.deliver()
      return { product: product.id, price: price.id }
    },

    async subscribed(...items: Stripe.SubscriptionCreateParams.Item[]): Promise<Stripe.Subscription> {
      const customer = await stripe.customers.create({ name: 'Somebody' })
      const method = await stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
      const paid = { customer: customer.id, default_payment_method: method.id }
      const made = await stripe.subscriptions.create({ ...paid, items })
      await world.deliver()
      return made
    },

    async addonsOf({ id }: Stripe.Subscription) {
      await doDue({ ...world.deps, workflows: world.workflows })
      await world.drain()
      const { rows } = await world.pool.query(
        'select s.addons from mapping m join subscription s on s.id = m.entity_id where m.provider_id = $1',
        [id],
      )
      return rows[0].addons
    },
  }
}

test('a product is the add-on that it is linked to, for who pays for it already and for who comes', async () => {
  const world = await shared(newWorld({ plan: 'inbound', price: 'outbound' }))
  const { ask, link, unlink, sold, subscribed, addonsOf } = handsOn(world)
  const [base, regions, europe] = [
    await sold('Base', 1000),
    await sold('Regions', 700),
    await sold('Regions of Europe', 700),
  ]
  for (const addon of ['regions', 'regions-of-europe']) expect((await unlink('addon', addon)).said).toBe(200)
  const items = [{ price: base.price }, { price: europe.price, quantity: 3 }]
  const before = await subscribed(...items)
  expect(await addonsOf(before)).toEqual([])

  expect((await link('addon', 'regions', europe.price)).said).toBe('422 mapping_invalid')
  expect((await link('addon', 'nowhere', europe.product)).said).toBe('422 mapping_invalid')
  const linked = await link('addon', 'regions', europe.product)
  expect(linked).toMatchObject({
    said: 201,
    body: { entityType: 'addon', entityId: 'regions', providerType: 'product', origin: 'link' },
  })
  const attached = [{ addon: 'regions', version: 1, quantity: 3 }]
  expect(await addonsOf(before)).toEqual(attached)
  const after = await subscribed(...items)
  expect(await addonsOf(after)).toEqual(attached)

  // The same again changes nothing. Both directions are unique, and it is needed while it is sold.
  expect(await link('addon', 'regions', europe.product)).toEqual(linked)
  expect((await link('addon', 'regions', regions.product)).said).toBe('409 mapping_exists')
  expect((await link('addon', 'regions-of-europe', europe.product)).said).toBe('409 mapping_exists')
  expect(await ask('GET', `/v1/mappings?entityType=addon&entityId=regions`)).toMatchObject({
    body: { data: [linked.body] },
  })
  expect((await unlink('addon', 'regions')).said).toBe('409 mapping_in_use')

  await world.stripe.subscriptions.cancel(before.id)
  const { items: standing } = await world.stripe.subscriptions.retrieve(after.id)
  const item = standing.data.find(({ price }) => price.id === europe.price)
  await world.stripe.subscriptionItems.del(item?.id ?? '')
  await world.deliver()
  expect(await unlink('addon', 'regions')).toEqual({ said: 200, body: linked.body })
  expect((await unlink('addon', 'regions')).said).toBe('404 mapping_not_found')
  expect(await addonsOf(await subscribed(...items))).toEqual([])
})

test('an add-on of the catalogue is what is paid for by the price that is linked to it', async () => {
  const world = await shared(newWorld({ plan: 'outbound', price: 'outbound' }))
  const { link, unlink, sold, subscribed, addonsOf } = handsOn(world)
  const { rows: prices } = await world.pool.query(
    `select p.id, v.addon_key, m.provider_id from price p left join addon_version v on v.id = p.addon_version_id
     join mapping m on m.entity_type = 'price' and m.entity_id = p.id`,
  )
  const fee = prices.find(({ addon_key: key }) => key === null)
  const { id: each, provider_id: published } = prices.find(({ addon_key: key }) => key === 'backups')
  const same = await sold('Backups of Stripe', 300)
  const dear = await world.stripe.prices.create({
    ...{ product: same.product, currency: 'usd', unit_amount: 900, recurring: { interval: 'month' } },
  })
  expect((await link('addon', 'backups', same.product)).said).toBe(201)
  const before = await subscribed({ price: fee.provider_id }, { price: same.price, quantity: 2 })
  expect(await addonsOf(before)).toEqual([])
  expect((await link('price', each, same.price)).said).toBe('409 mapping_exists')
  expect((await unlink('price', each)).said).toBe(200)
  expect((await link('price', each, dear.id)).said).toBe('422 mapping_invalid')
  expect((await link('price', each, same.price)).said).toBe(201)
  expect(await addonsOf(before)).toEqual([{ addon: 'backups', version: 1, quantity: 2 }])
  await world.stripe.subscriptions.cancel(before.id)
  await world.deliver()
  // The one of before can be had back.
  expect((await unlink('price', each)).said).toBe(200)
  expect((await link('price', each, published)).said).toBe(201)
  expect((await unlink('addon', 'backups')).said).toBe(200)
})
