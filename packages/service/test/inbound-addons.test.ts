import { defineCatalog } from '@lockstep/core/catalog'
import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { addonRoutes } from '../src/http/routes/addons.ts'
import { applyCatalog } from '../src/workflow/apply-catalog.ts'
import { doDue } from '../src/workflow/due.ts'
import { linkByHand, unlinkByHand } from '../src/workflow/link-by-hand.ts'
import { decideChange } from '../src/workflow/plan-change/decide.ts'
import { newInboundWorld } from './support/inbound-world.ts'
import { newServer } from './support/server.ts'
import { shared } from './support/shared.ts'

const world = await shared(newInboundWorld())
const server = await newServer({ db: world.db }, { clock: world.deps.clock })
addonRoutes(server.app, world.deps)

async function sold(name: string, unitAmount: number, interval: 'month' | 'year' = 'month') {
  const product = await world.stripe.products.create({ name })
  const price = await world.stripe.prices.create({
    ...{ product: product.id, currency: 'usd', unit_amount: unitAmount, recurring: { interval } },
  })
  return { product: product.id, price: price.id }
}

async function subscribe(...items: Stripe.SubscriptionCreateParams.Item[]): Promise<Stripe.Subscription> {
  const customer = await world.stripe.customers.create({ name: 'Somebody' })
  const method = await world.stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
  return world.stripe.subscriptions.create({
    customer: customer.id,
    default_payment_method: method.id,
    items,
  })
}

/** Each stretch of its history: plan, number, add-ons, and what all of it costs. */
async function historyOf({ id }: Stripe.Subscription): Promise<string[]> {
  const { rows } = await world.pool.query(
    `select v.plan_key, h.quantity, h.addons, h.fee::text from subscription_history h
     join mapping m on m.entity_id = h.subscription_id join plan_version v on v.id = h.plan_version_id
     where m.provider_id = $1 and h.ends_at > h.starts_at order by h.starts_at`,
    [id],
  )
  return rows.map(
    (row) =>
      `${row.plan_key} × ${row.quantity}${row.addons.map((one: { addon: string; quantity: number }) => ` + ${one.addon} × ${one.quantity}`).join('')}: ${row.fee}`,
  )
}

const addonAt = async (key: string) =>
  (await server.call({ method: 'GET', url: `/v1/addons/${key}?expand=mappings` })) as {
    status: number
    body: { prices: object[]; mappings: object[]; audience: string }
  }

/** All that was told, backwards and twice, each in a batch of its own. */
async function deliverBackwards(): Promise<void> {
  const events = await world.newEvents()
  for (const event of [...events.toReversed(), ...events]) {
    await world.receive(event)
    await world.drain()
  }
}

test('a product is a plan and an add-on, both linked, both to be completed here', async () => {
  const { product, price } = await sold('Support', 500)
  await deliverBackwards()
  const { rows } = await world.pool.query(
    'select entity_type, entity_id from mapping where provider_id = $1 order by entity_type',
    [product],
  )
  expect(rows).toEqual(
    ['addon', 'plan', 'product'].map((type) => ({ entity_type: type, entity_id: 'support' })),
  )
  expect(await addonAt('support')).toMatchObject({
    status: 200,
    body: {
      audience: 'admin',
      prices: [{ key: 'fee', model: 'perUnit' }],
      mappings: [{ entityType: 'addon', entityId: 'support', providerId: product, origin: 'webhook' }],
    },
  })
  const priced = await world.pool.query(
    'select entity_type from mapping where provider_id = $1 order by entity_type',
    [price],
  )
  expect(priced.rows).toEqual([{ entity_type: 'addon_price' }, { entity_type: 'price' }])
})

test('a new item is its add-on attached, its number follows, and removed it is detached', async () => {
  const [base, backups, yearly] = [
    await sold('Base', 2000),
    await sold('Backups', 300),
    await sold('By the year', 9000, 'year'),
  ]
  const made = await subscribe({ price: base.price, quantity: 2 })
  // Of a customer without a test clock both sides have the time of the day.
  world.wall.time = made.start_date
  await world.deliver()
  expect(await historyOf(made)).toEqual(['base × 2: 4000'])

  world.wall.time += 60
  const item = await world.stripe.subscriptionItems.create({
    ...{ subscription: made.id, price: backups.price, quantity: 3 },
  })
  await deliverBackwards()
  world.wall.time += 60
  await world.stripe.subscriptionItems.update(item.id, { quantity: 4 })
  await world.deliver()
  // Of another rhythm it has a period of its own: it stays in the picture alone.
  world.wall.time += 60
  await world.stripe.subscriptionItems.create({ subscription: made.id, price: yearly.price })
  await world.deliver()
  world.wall.time += 60
  await world.stripe.subscriptionItems.del(item.id)
  await deliverBackwards()
  // Two for 20.00, and three, then four for 3.00 beside them.
  expect(await historyOf(made)).toEqual([
    'base × 2: 4000',
    'base × 2 + backups × 3: 4900',
    'base × 2 + backups × 4: 5200',
    'base × 2: 4000',
  ])
})

test('made with both at once, whatever is heard of first, it has both', async () => {
  const [base, more] = [await sold('Basic', 1000), await sold('More', 250)]
  const made = await subscribe({ price: base.price }, { price: more.price, quantity: 2 })
  await deliverBackwards()
  expect(await historyOf(made)).toEqual(['basic × 1 + more × 2: 1500'])
})

test('a change made here keeps the add-on that came in, and will not have its price twice', async () => {
  const [base, extra, other] = [
    await sold('Starter', 1000),
    await sold('Extra', 200),
    await sold('Bigger', 3000),
  ]
  const made = await subscribe({ price: base.price }, { price: extra.price })
  await world.deliver()
  const { rows } = await world.pool.query('select entity_id from mapping where provider_id = $1', [made.id])
  const decide = (plan: string) =>
    decideChange(world.deps, rows[0].entity_id, { plan }, { mayGivePlans: true })
  const { items } = await decide('bigger')
  const [starter] = made.items.data
  expect(items).toEqual([{ id: starter?.id, price: other.price, quantity: 1 }])
  await expect(decide('extra')).rejects.toMatchObject({ code: 'subscription_not_changeable' })
})

test('named by the catalogue as an add-on, it is that one for who pays it, and is not archived before', async () => {
  const [base, extra] = [await sold('Core', 1000), await sold('Storage', 200)]
  const made = await subscribe({ price: base.price }, { price: extra.price, quantity: 5 })
  await world.deliver()
  const catalog = defineCatalog({
    currency: 'usd',
    products: { core: { name: 'Core' }, storage: { name: 'Storage' } },
    plans: {
      core: {
        name: 'Core',
        product: 'core',
        interval: 'month',
        prices: { fee: { kind: 'recurring', model: 'flat', amount: '10.00' } },
      },
    },
    addons: {
      storage: {
        name: 'Storage',
        product: 'storage',
        interval: 'month',
        prices: { each: { kind: 'recurring', model: 'perUnit', unitAmount: '2.00' } },
      },
    },
  })
  await applyCatalog({ ...world.deps, workflows: world.workflows }, catalog)
  expect((await addonAt('backups')).status).toBe(200)
  expect((await addonAt('storage')).body).toMatchObject({ audience: 'public', prices: [{ key: 'each' }] })
  await world.stripe.subscriptions.update(made.id, { metadata: { looked: 'again' } })
  await world.deliver()
  const { rows } = await world.pool.query(
    `select s.addons from subscription s join mapping m on m.entity_id = s.id where m.provider_id = $1`,
    [made.id],
  )
  expect(rows).toEqual([{ addons: [{ addon: 'storage', version: 2, quantity: 5 }] }])
})

test('deleted unsold, both are forgotten', async () => {
  const unsold = await world.stripe.products.create({ name: 'Never' })
  await world.deliver()
  expect((await addonAt('never')).status).toBe(404)
  await world.stripe.products.del(unsold.id)
  await world.deliver()
  const { rows } = await world.pool.query(
    `select key from addon where key = 'never' union select key from plan where key = 'never'`,
  )
  expect(rows).toEqual([])
})

test('unlinked by hand, a product is no add-on any more, whatever is priced of it, and may be another', async () => {
  const [base, tapes] = [await sold('Ground', 1000), await sold('Tapes', 200)]
  await world.deliver()
  const { rows } = await world.pool.query(
    `select entity_id from mapping where entity_type = 'addon_price' and provider_id = $1`,
    [tapes.price],
  )
  await unlinkByHand(world.deps, 'addon', 'tapes')
  await unlinkByHand(world.deps, 'addon_price', rows[0].entity_id)
  const price = await world.stripe.prices.create({
    ...{ product: tapes.product, currency: 'usd', unit_amount: 300, recurring: { interval: 'month' } },
  })
  const made = await subscribe({ price: base.price }, { price: price.id }, { price: tapes.price })
  await world.deliver()
  expect(await historyOf(made)).toEqual(['ground × 1: 1000'])

  // Back again, with the price that it had; it has to cost the same.
  const [addon, ours] = [{ entityType: 'addon', entityId: 'tapes' }, rows[0].entity_id] as const
  await linkByHand(world.deps, { ...addon, providerId: tapes.product })
  const again = { entityType: 'addon_price', entityId: ours } as const
  await expect(linkByHand(world.deps, { ...again, providerId: price.id })).rejects.toMatchObject({
    code: 'mapping_invalid',
  })
  await linkByHand(world.deps, { ...again, providerId: tapes.price })
  await doDue({ ...world.deps, workflows: world.workflows })
  expect((await historyOf(made)).at(-1)).toBe('ground × 1 + tapes × 1: 1200')
  await expect(unlinkByHand(world.deps, 'addon', 'tapes')).rejects.toMatchObject({ code: 'mapping_in_use' })
})

test('whose plan was unlinked by hand gets no other one: who subscribes to it waits for a person', async () => {
  const { product, price } = await sold('Zeppelin', 100)
  await world.deliver()
  const { rows } = await world.pool.query(
    `select entity_id from mapping where entity_type = 'price' and provider_id = $1`,
    [price],
  )
  await unlinkByHand(world.deps, 'plan', 'zeppelin')
  await unlinkByHand(world.deps, 'price', rows[0].entity_id)
  const made = await subscribe({ price })
  await world.deliver()
  const { rows: events } = await world.pool.query(
    `select distinct outcome from provider_event where object_id = $1 and type = 'customer.subscription.created'`,
    [made.id],
  )
  expect(events).toEqual([{ outcome: 'needs_mapping' }])
  await linkByHand(world.deps, { entityType: 'plan', entityId: 'zeppelin', providerId: product })
  await world.drain()
  expect(await historyOf(made)).toEqual(['zeppelin × 1: 100'])
})
