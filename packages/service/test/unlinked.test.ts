import { defineCatalog } from '@lockstep/core/catalog'
import { expect, test } from 'vitest'
import { applyCatalog } from '../src/workflow/apply-catalog.ts'
import { linkByHand, unlinkByHand } from '../src/workflow/link-by-hand.ts'
import { newBillingWorld } from './support/billing-world.ts'
import { shared } from './support/shared.ts'

const catalog = defineCatalog({
  currency: 'usd',
  products: { team: { name: 'Team' }, backups: { name: 'Backups' } },
  plans: {
    team: {
      name: 'Team',
      product: 'team',
      interval: 'month',
      prices: { seat: { kind: 'recurring', model: 'perUnit', unitAmount: '7.00' } },
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

const world = await shared(newBillingWorld({ catalog }))

type Link = { entity_type: 'product' | 'price'; entity_id: string; provider_id: string }

async function links(): Promise<Link[]> {
  const { rows } = await world.pool.query(
    'select entity_type, entity_id, provider_id from mapping order by entity_type, entity_id',
  )
  return rows
}

const apply = () => applyCatalog({ ...world.deps, workflows: world.workflows }, catalog)
const unlink = ({ entity_type, entity_id }: Link) => unlinkByHand(world.deps, entity_type, entity_id)
const ours = ({ entity_type, entity_id }: Link) => `${entity_type} ${entity_id}`

test('what was unlinked is made anew when the catalogue is applied again, and the old one is left at Stripe', async () => {
  const [first, published] = [await links(), await world.stripe.products.list({ limit: 100 })]
  expect(first.map(({ entity_type }) => entity_type)).toEqual(['price', 'price', 'product', 'product'])
  for (const link of first) await unlink(link)
  expect(await links()).toEqual([])

  expect((await apply()).map(({ kind, key }) => `${kind} ${key}`).sort()).toEqual([
    'addon backups',
    'plan team',
    'product backups',
    'product team',
  ])
  const second = await links()
  expect(second.map(ours)).toEqual(first.map(ours))
  const ids = new Set(first.map(({ provider_id }) => provider_id))
  expect(second.filter(({ provider_id }) => ids.has(provider_id))).toEqual([])
  expect((await world.stripe.products.list({ limit: 100 })).data).toHaveLength(published.data.length * 2)
  // A price is of the product that was made with it.
  const productOf = new Map(second.map((link) => [link.entity_id, link.provider_id]))
  for (const { provider_id } of second.slice(0, 2)) {
    const { product, metadata } = await world.stripe.prices.retrieve(provider_id)
    const key = metadata.lockstep_addon_version === undefined ? 'team' : 'backups'
    expect([key, product]).toEqual([key, productOf.get(key)])
  }
  // Applied once more there is nothing left to make.
  expect(await world.requests(apply)).toEqual([])

  for (const link of second) await unlink(link)
  await apply()
  const third = await links()
  expect(new Set([...first, ...second, ...third].map(({ provider_id }) => provider_id)).size).toBe(12)
})

test('a price alone is made anew under the product that a person linked instead', async () => {
  const known = await links()
  const price = known.find(({ entity_type }) => entity_type === 'price')
  const product = known.find(({ entity_id }) => entity_id === 'team')
  if (!price || !product) throw new Error('Not published.')
  for (const link of [price, product]) await unlink(link)
  const instead = await world.stripe.products.create({ name: 'Team, as the dashboard has it' })
  await linkByHand(world.deps, { entityType: 'product', entityId: 'team', providerId: instead.id })
  const made = await world.requests(apply)
  expect(made.filter((request) => request.startsWith('POST'))).toEqual(['POST /v1/prices'])
  const now = (await links()).find(({ entity_id }) => entity_id === price.entity_id)
  const { product: its } = await world.stripe.prices.retrieve(now?.provider_id ?? '')
  const { metadata } = await world.stripe.prices.retrieve(price.provider_id)
  expect(its).toBe(
    metadata.lockstep_addon_version === undefined
      ? instead.id
      : known.find(({ entity_id }) => entity_id === 'backups')?.provider_id,
  )
})

test('an answer that was lost after an unlinking is found again, and not the object of before', async () => {
  const before = (await links()).find(({ entity_id }) => entity_id === 'backups')
  if (!before) throw new Error('Not published.')
  await unlink(before)
  await apply()
  const made = (await links()).find(({ entity_id }) => entity_id === 'backups')
  // As a process leaves it that dies before the answer: intended, made there, and its key forgotten.
  await world.pool.query(`delete from mapping where entity_id = 'backups'`)
  await world.pool.query(
    `update operation set state = 'unknown', settled_at = null, provider_object_id = null, prepared_at = prepared_at - interval '2 days'
     where provider_object_id = $1`,
    [made?.provider_id],
  )
  await apply()
  expect((await links()).find(({ entity_id }) => entity_id === 'backups')).toEqual(made)
  expect(made?.provider_id).not.toBe(before.provider_id)
})
