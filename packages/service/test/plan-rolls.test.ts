import { defineCatalog } from '@lockstep/core/catalog'
import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { planRollRoutes } from '../src/http/routes/plan-rolls.ts'
import { newId } from '../src/ids.ts'
import { transaction } from '../src/postgres/transaction.ts'
import { moveRolls } from '../src/store/plan-rolls.ts'
import { applyCatalog } from '../src/workflow/apply-catalog.ts'
import { newInboundWorld } from './support/inbound-world.ts'
import { newServer } from './support/server.ts'
import { shared } from './support/shared.ts'

const world = await shared(newInboundWorld())
const server = await newServer({ db: world.db }, { clock: world.deps.clock })
planRollRoutes(server.app, world.deps)

const price = (product: string, unitAmount: number, interval: 'month' | 'year' = 'month') =>
  world.stripe.prices.create({
    ...{ product, currency: 'usd', unit_amount: unitAmount, recurring: { interval } },
  })

async function subscribe(to: Stripe.Price): Promise<Stripe.Subscription> {
  // On a clock of its own, at which every price is older than it.
  const clock = await world.stripe.testHelpers.testClocks.create({ frozen_time: to.created + 60 })
  const customer = await world.stripe.customers.create({ name: 'Somebody', test_clock: clock.id })
  const method = await world.stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
  return world.stripe.subscriptions.create({
    customer: customer.id,
    default_payment_method: method.id,
    items: [{ price: to.id }],
  })
}

async function rolls(query: string): Promise<string[]> {
  const { body } = await server.call({ method: 'GET', url: `/v1/plan-rolls?${query}` })
  const { data } = body as { data: Roll[] }
  return data.map(
    ({ plan, from, to, subscriptions, state }) =>
      `${plan} ${from.version} (${from.amount.amount}) → ${to.version} (${to.amount.amount}): ${subscriptions} ${state}`,
  )
}

interface Roll {
  readonly id: string
  readonly plan: string
  readonly from: { readonly version: number; readonly amount: { readonly amount: string } }
  readonly to: { readonly version: number; readonly amount: { readonly amount: string } }
  readonly subscriptions: number
  readonly state: string
}

/** All that was told, backwards and twice, each in a batch of its own. */
async function deliverBackwards(): Promise<void> {
  const events = await world.newEvents()
  for (const event of [...events.toReversed(), ...events]) {
    await world.receive(event)
    await world.drain()
  }
}

test('another price is a planned roll for who is on the old one, and a newer one supersedes it', async () => {
  const { id: product } = await world.stripe.products.create({ name: 'Pro' })
  const first = await price(product, 2000)
  const [, gone] = [await subscribe(first), await subscribe(first)]
  await subscribe(first)
  await world.deliver()
  await world.stripe.subscriptions.cancel(gone.id)
  // Nobody is rolled to another rhythm.
  await price(product, 20_000, 'year')
  await world.deliver()
  expect(await rolls('plan=pro')).toEqual([])

  await price(product, 2400)
  await deliverBackwards()
  const planned = 'pro 1 (20.00) → 3 (24.00): 2'
  expect(await rolls('plan=pro')).toEqual([`${planned} planned`])

  const calls = await world.requests(async () => {
    await price(product, 2600)
    await deliverBackwards()
  })
  // Nothing was done about it at Stripe: the one call that writes is the price that was made here.
  expect(calls.filter((call) => call.startsWith('POST'))).toEqual(['POST /v1/prices'])
  expect(await rolls('plan=pro')).toEqual(['pro 1 (20.00) → 4 (26.00): 2 planned', `${planned} superseded`])
  expect(await rolls('state=planned')).toEqual(['pro 1 (20.00) → 4 (26.00): 2 planned'])
})

test('a plan that the catalogue completes with the new price is what they are to go on to', async () => {
  const catalog = defineCatalog({
    currency: 'usd',
    products: { pro: { name: 'Pro' } },
    plans: {
      pro: {
        name: 'Pro',
        product: 'pro',
        interval: 'month',
        prices: { fee: { kind: 'recurring', model: 'flat', amount: '26.00' } },
      },
    },
  })
  await applyCatalog({ ...world.deps, workflows: world.workflows }, catalog)
  expect(await rolls('plan=pro&state=planned')).toEqual(['pro 1 (20.00) → 5 (26.00): 2 planned'])
})

test('the same amount again is no roll, and who subscribed when it was there has chosen', async () => {
  const { id: product } = await world.stripe.products.create({ name: 'Same' })
  const first = await price(product, 500)
  await subscribe(first)
  await world.deliver()
  await price(product, 500)
  await world.deliver()
  expect(await rolls('plan=same')).toEqual([])

  const { id: other } = await world.stripe.products.create({ name: 'Both' })
  const [old, dearer] = [await price(other, 500), await price(other, 700)]
  const customer = await world.stripe.customers.create({ name: 'Chooses the old one' })
  const method = await world.stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
  await world.stripe.subscriptions.create({
    customer: customer.id,
    default_payment_method: method.id,
    items: [{ price: old.id }],
  })
  await deliverBackwards()
  expect(dearer.id).not.toBe(old.id)
  expect(await rolls('plan=both')).toEqual([])
})

/** A roll in short: which version goes on to which, by number. */
type Short = readonly [from: number, to: number, state: 'planned' | 'superseded']

// The price of version 2 becomes that of version 4.
test.each<[string, Short[], Short[]]>([
  ['goes with it', [[1, 2, 'planned']], [[1, 4, 'planned']]],
  ['goes with it from there', [[2, 3, 'planned']], [[4, 3, 'planned']]],
  [
    'is the one that the other version has',
    [
      [2, 3, 'planned'],
      [4, 1, 'planned'],
    ],
    [
      [2, 3, 'superseded'],
      [4, 1, 'planned'],
    ],
  ],
  [
    'is the same that was superseded, planned again',
    [
      [1, 2, 'planned'],
      [1, 4, 'superseded'],
    ],
    [
      [1, 2, 'superseded'],
      [1, 4, 'planned'],
    ],
  ],
  [
    'is the same twice only once',
    [
      [2, 3, 'planned'],
      [4, 3, 'planned'],
    ],
    [
      [2, 3, 'superseded'],
      [4, 3, 'planned'],
    ],
  ],
  ['is none onto itself', [[4, 2, 'planned']], [[4, 2, 'superseded']]],
])('where a price becomes another version’s, what is planned %s', async (what, before, after) => {
  const { id: product } = await world.stripe.products.create({ name: `Moved ${what}` })
  for (const amount of [1000, 2000, 3000, 4000]) await price(product, amount)
  await world.deliver()
  const { rows: versions } = await world.pool.query(
    `select v.id, v.plan_key, v.version::int, p.id as price from plan_version v join price p on p.plan_version_id = v.id
       join mapping m on m.entity_type = 'plan' and m.entity_id = v.plan_key where m.provider_id = $1`,
    [product],
  )
  const of = (number: number) => versions.find(({ version }) => version === number)
  for (const [from, to, state] of before)
    await world.pool.query(`insert into plan_roll values ($1, $2, $3, $4, $5, now())`, [
      ...[newId('plan_roll'), of(1).plan_key, of(from).id, of(to).id, state],
    ])
  await transaction(world.db, (trx) => moveRolls(trx, { from: of(2).price, to: of(4).price }))
  const { rows } = await world.pool.query(
    `select f.version::int as from, t.version::int as to, r.state from plan_roll r
       join plan_version f on f.id = r.from_version_id join plan_version t on t.id = r.to_version_id
     where r.plan_key = $1 order by r.id`,
    [of(1).plan_key],
  )
  expect(rows.map(({ from, to, state }) => [from, to, state])).toEqual(after)
})

test('one of them by its id, and one that there is not', async () => {
  const { body } = await server.call({ method: 'GET', url: '/v1/plan-rolls?limit=1' })
  const [roll] = (body as { data: Roll[] }).data
  expect(await server.call({ method: 'GET', url: `/v1/plan-rolls/${roll?.id}` })).toMatchObject({
    status: 200,
    body: roll,
  })
  expect(await server.call({ method: 'GET', url: '/v1/plan-rolls/plan_roll_none' })).toMatchObject({
    status: 404,
    body: { code: 'plan_roll_not_found' },
  })
})
