import { beforeEach, expect, test } from 'vitest'
import { idOf } from '../src/provider/stripe/field.ts'
import { planCatalog } from '../src/workflow/apply-catalog.ts'
import type { Drift } from '../src/workflow/drift/drift.ts'
import { findDrift } from '../src/workflow/drift/find.ts'
import { repairDrift } from '../src/workflow/drift/repair.ts'
import { newBillingWorld } from './support/billing-world.ts'
import { shared } from './support/shared.ts'

const world = await shared(newBillingWorld())
const sql = (text: string, values: unknown[] = []) => world.pool.query(text, values)
const story = ({ entity, kind, cause, repair, differences }: Drift) =>
  [entity, kind, ...differences.map(({ field }) => field), cause, repair ?? 'none'].join(' ')
const priceOf = async (plan: string) =>
  (
    await sql(
      `select m.entity_id as id, m.provider_id as price from mapping m join price p on p.id = m.entity_id
         join plan_version v on v.id = p.plan_version_id where v.plan_key = $1`,
      [plan],
    )
  ).rows[0] as { id: string; price: string }

beforeEach(async () => {
  expect((await findDrift(world.deps)).drifts).toEqual([])
})

test('a price that was archived at Stripe lets nobody register, until it is taken back', async () => {
  const { price } = await priceOf('plain')
  await world.stripe.prices.update(price, { active: false })
  await expect(world.register('plain', '2026-01-10T00:00:00Z')).rejects.toThrow('items[0][price]')
  const { drifts } = await findDrift(world.deps)
  expect(drifts.map(story)).toContain('price differs active changedThere tell')
  expect(drifts.find(({ entity }) => entity === 'price')?.reason).toBe(
    'It was archived at the provider, and nobody can register for plain 1, which the catalogue sells.',
  )
  // As soon as its event came, whoever looks at the catalogue is told too.
  await world.deliver()
  const detail =
    'Its price, or the product of that, was archived at the provider, so that nobody can register: see `lockstep drift repair`.'
  expect(await planCatalog(world.deps, world.catalog)).toEqual([
    { kind: 'plan', key: 'plain', action: 'unchanged', details: [detail], subscribers: [] },
  ])
  expect((await repairDrift(world.deps)).left.drifts).toEqual([])
  await world.deliver()
  expect(await planCatalog(world.deps, world.catalog)).toEqual([])
  await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
})

test('one that was made there is taken back by whoever archived it', async () => {
  const { price, id } = await priceOf('tiered')
  const made = await world.stripe.prices.retrieve(price)
  const theirs = await world.stripe.prices.create({
    ...{
      product: idOf(made.product),
      currency: 'usd',
      unit_amount: 2000,
      recurring: { interval: 'month' },
    },
  })
  await sql('update mapping set provider_id = $2 where entity_id = $1', [id, theirs.id])
  await world.stripe.prices.update(theirs.id, { active: false })
  const { drifts } = await findDrift(world.deps)
  expect(drifts.map(story)).toEqual(['price differs active unexplained none'])
  expect(drifts[0]?.reason).toContain('take it back into use there, or take tiered 1 out of the catalogue.')
  expect((await repairDrift(world.deps)).left.drifts.map(story)).toEqual([
    'price differs active unexplained none',
  ])
  // Nobody registers here, so that nobody misses it.
  const directions = { ...world.deps.provider.sync.directions, subscription: 'inbound' } as const
  const provider = { ...world.deps.provider, sync: { ...world.deps.provider.sync, directions } }
  expect((await findDrift({ ...world.deps, provider })).drifts).toEqual([])
  await world.stripe.prices.update(theirs.id, { active: true })
})

test('one that is sold no more may be archived', async () => {
  const { price } = await priceOf('seats')
  await world.stripe.prices.update(price, { active: false })
  await sql(`update plan set archived_at = now() where key = 'seats'`)
  expect((await findDrift(world.deps)).drifts).toEqual([])
  await sql(`update plan set archived_at = null where key = 'seats'`)
  expect((await repairDrift(world.deps)).left.drifts).toEqual([])
})

test('what a plan costs, altered here, is nobody’s guess', async () => {
  const { id } = await priceOf('yen')
  const { rows } = await sql(`select definition from price where id = $1`, [id])
  const write = (definition: object) =>
    sql(`update price set definition = $2 where id = $1`, [id, definition])
  const [{ definition }] = rows
  await write({ ...definition, amountMinor: '1' })
  const { drifts } = await findDrift(world.deps)
  expect(drifts).toMatchObject([
    {
      ...{ entity: 'price', entityId: id, cause: 'unexplained', repair: null },
      differences: [{ field: 'cost', there: '2000 jpy every 1 month' }],
    },
  ])
  await write(definition)
})
