import { defineCatalog } from '@lockstep/core/catalog'
import type { Simulator } from 'stripe-simulator'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import cloudHost from '../../../examples/cloud-host/catalog.ts'
import writingApp from '../../../examples/writing-app/catalog.ts'
import { newDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { newSimulator, serviceDeps } from '../../../test/support/simulator.ts'
import { readCatalog } from '../src/store/catalog.ts'
import { providerIdOf } from '../src/store/mappings.ts'
import { readNewestPlan } from '../src/store/plans.ts'
import { applyCatalog, planCatalog } from '../src/workflow/apply-catalog.ts'
import { publishKind } from '../src/workflow/publish-catalog.ts'
import { makeWorkflows, type Workflows } from '../src/workflow/workflows.ts'

type Deps = Awaited<ReturnType<typeof serviceDeps>> & { workflows: Workflows }

let simulator: Simulator
const databases: TestDatabase[] = []

beforeAll(async () => {
  simulator = await newSimulator()
})
afterEach(async () => {
  simulator.control.clearFaults()
  for (const database of databases.splice(0)) await database.drop()
})
afterAll(() => simulator.close())

async function newInstallation(): Promise<Deps> {
  const database = await newDatabase()
  databases.push(database)
  const deps = await serviceDeps(database, simulator)
  return { ...deps, workflows: makeWorkflows(deps, [publishKind(deps)]) }
}

async function ownAtStripe({ provider }: Deps) {
  const own = <T extends { metadata: Record<string, string> }>(list: T[]) =>
    list.filter(({ metadata }) => metadata.lockstep_instance === provider.instance)
  const products = await provider.stripe.products.list({ limit: 100 }).autoPagingToArray({ limit: 1000 })
  const prices = await provider.stripe.prices.list({ limit: 100 }).autoPagingToArray({ limit: 1000 })
  return { products: own(products), prices: own(prices) }
}

const writes = () => simulator.control.requests().requests.filter(({ method }) => method !== 'GET').length

test('a catalogue is written here and at Stripe; applied again it asks nothing of Stripe', async () => {
  const deps = await newInstallation()
  const changes = await applyCatalog(deps, cloudHost)
  expect(changes.map(({ kind, action, key }) => `${action} ${kind} ${key}`)).toEqual([
    'create product cloud',
    'create product compute',
    'create product bandwidth',
    'create product storage',
    'create product requests',
    'create product support',
    'create meter compute_seconds',
    'create meter bandwidth_bytes',
    'create meter storage_gib',
    'create meter requests',
    'create feature regions',
    'create feature private_network',
    'create feature transfer',
    'create plan cloud-host',
    'create plan compute-year',
    'create addon snapshots',
  ])
  const { products, prices } = await ownAtStripe(deps)
  expect(products.map(({ name }) => name).sort()).toEqual(
    ['Bandwidth', 'Cloud host', 'Compute', 'Requests', 'Storage', 'Support'].sort(),
  )
  // Only what Stripe bills by itself has a price there.
  expect(prices.map(({ unit_amount: amount, recurring }) => [amount, recurring?.interval])).toEqual([
    [400, 'month'],
    [20_000, 'year'],
    [2000, 'month'],
  ])

  simulator.control.clearRequests()
  expect(await applyCatalog(deps, cloudHost)).toEqual([])
  expect(simulator.control.requests().total).toBe(0)
})

test('the difference is shown before anything is done', async () => {
  const deps = await newInstallation()
  simulator.control.clearRequests()
  expect(await planCatalog(deps, cloudHost)).toHaveLength(16)
  expect(simulator.control.requests().total).toBe(0)
  expect((await planCatalog(deps, cloudHost)).length).toBe(16)
})

test('intervals of three months and of a year', async () => {
  const deps = await newInstallation()
  await applyCatalog(deps, writingApp)
  const { prices } = await ownAtStripe(deps)
  expect(
    prices
      .map(({ unit_amount: amount, recurring: r }) => `${amount} ${r?.interval_count} ${r?.interval}`)
      .sort(),
  ).toEqual([
    '0 1 month',
    '0 1 month',
    '0 1 month',
    '2400 3 month',
    '600 1 month',
    '8400 1 year',
    '900 1 month',
  ])
})

const small = (fee: string, name = 'Team') =>
  defineCatalog({
    currency: 'usd',
    products: { team: { name } },
    plans: {
      team: {
        name: 'Team',
        product: 'team',
        interval: 'month',
        prices: { fee: { kind: 'recurring', model: 'perUnit', unitAmount: fee } },
      },
    },
  })

test('a changed plan is a new version with a new price; the old price stays', async () => {
  const deps = await newInstallation()
  await applyCatalog(deps, small('9.00'))
  const before = await readNewestPlan(deps.db, 'team')
  expect((await applyCatalog(deps, small('10.00'))).map(({ action, key }) => `${action} ${key}`)).toEqual([
    'newVersion team',
  ])
  const after = await readNewestPlan(deps.db, 'team')
  expect([before?.version, after?.version]).toEqual([1, 2])
  const { prices } = await ownAtStripe(deps)
  expect(prices.map(({ unit_amount: amount, active }) => `${amount} ${active}`).sort()).toEqual([
    '1000 true',
    '900 true',
  ])
  for (const version of [before, after]) {
    const id = version?.priceIds.get('fee') ?? ''
    expect(await providerIdOf(deps.db, 'price', id)).toMatch(/^price_/)
  }
})

test('a renamed product is an update, and going back is one too', async () => {
  const deps = await newInstallation()
  for (const name of ['Team', 'Squad', 'Team', 'Squad']) {
    await applyCatalog(deps, small('9.00', name))
    const { products } = await ownAtStripe(deps)
    expect(products.map((product) => product.name)).toEqual([name])
  }
})

test('what is left out is archived, and comes back as it was', async () => {
  const deps = await newInstallation()
  await applyCatalog(deps, small('9.00'))
  const nothing = defineCatalog({ currency: 'usd', products: {}, plans: {} })
  expect((await applyCatalog(deps, nothing)).map(({ action, key }) => `${action} ${key}`)).toEqual([
    'archive team',
    'archive team',
  ])
  simulator.control.clearRequests()
  await applyCatalog(deps, small('9.00'))
  expect((await readNewestPlan(deps.db, 'team'))?.version).toBe(1)
  expect(writes()).toBe(0)
})

test('a rate finer than a cent, tiers and packages are billed by Stripe as they are written', async () => {
  const deps = await newInstallation()
  const catalog = defineCatalog({
    currency: 'usd',
    products: { seats: { name: 'Seats' } },
    plans: {
      many: {
        name: 'Many',
        product: 'seats',
        interval: 'month',
        prices: {
          fine: { name: 'Fine', kind: 'recurring', model: 'perUnit', unitAmount: '0.0004' },
          packs: { name: 'Packs', kind: 'recurring', model: 'package', size: '5', amount: '20.00' },
          steps: {
            name: 'Steps',
            kind: 'recurring',
            model: 'graduated',
            tiers: [
              { upTo: '10', unitAmount: '5.00' },
              { upTo: null, unitAmount: '4.00', flatAmount: '1.00' },
            ],
          },
        },
      },
    },
  })
  await applyCatalog(deps, catalog)
  const { prices } = await ownAtStripe(deps)
  const [fine, packs, steps] = ['fine', 'packs', 'steps'].map((key) =>
    prices.find(({ nickname }) => nickname?.toLowerCase().includes(key)),
  )
  expect([`${fine?.unit_amount_decimal}`, fine?.unit_amount]).toEqual(['0.04', null])
  expect([packs?.unit_amount, packs?.transform_quantity]).toEqual([2000, { divide_by: 5, round: 'up' }])
  const withTiers = await deps.provider.stripe.prices.retrieve(steps?.id ?? '', { expand: ['tiers'] })
  expect(
    withTiers.tiers?.map((tier) => [tier.up_to, `${tier.unit_amount_decimal}`, tier.flat_amount]),
  ).toEqual([
    [10, '500', 0],
    [null, '400', 100],
  ])
})

test('yen and dinar keep their own minor units; what Stripe cannot bill is refused before anything is written', async () => {
  const deps = await newInstallation()
  const priced = (currency: string, amount: string) =>
    defineCatalog({
      currency,
      products: { tea: { name: 'Tea' } },
      plans: {
        tea: {
          name: 'Tea',
          product: 'tea',
          interval: 'month',
          prices: { fee: { kind: 'recurring', model: 'flat', amount } },
        },
      },
    })
  await applyCatalog(deps, priced('jpy', '500'))
  await applyCatalog(deps, priced('kwd', '5.120'))
  await applyCatalog(deps, priced('isk', '700'))
  const { prices } = await ownAtStripe(deps)
  expect(prices.map(({ unit_amount: amount, currency }) => `${amount} ${currency}`).sort()).toEqual([
    '500 jpy',
    '5120 kwd',
    '70000 isk',
  ])
  await expect(applyCatalog(deps, priced('kwd', '5.124'))).rejects.toMatchObject({
    code: 'catalog_invalid',
    faults: [{ pointer: '#/plans/tea/prices/fee/amount', code: 'provider_cannot_bill' }],
  })
})

test.each([
  ['error_500_stored', '/v1/products'],
  ['timeout_after_commit', '/v1/products'],
  ['error_500', '/v1/prices'],
  ['truncated', '/v1/prices'],
  ['rate_limit', '/v1/prices'],
] as const)('each thing is made once, in spite of %s at %s', async (kind, path) => {
  const deps = await newInstallation()
  simulator.control.fail({ kind, method: 'POST', path, skip: 1, times: 2 })
  await applyCatalog(deps, writingApp)
  const { products, prices } = await ownAtStripe(deps)
  expect([products.length, prices.length]).toEqual([2, 7])
})

test('two who apply the same at once make everything once', async () => {
  const deps = await newInstallation()
  await Promise.all([1, 2, 3].map(() => applyCatalog(deps, writingApp)))
  const { products, prices } = await ownAtStripe(deps)
  expect([products.length, prices.length]).toEqual([2, 7])
})

test('Stripe away for long: it stands here, says so, and the rest is told later by itself', async () => {
  const deps = await newInstallation()
  simulator.control.fail({ kind: 'error_500', method: 'POST', path: '/v1/prices', times: 6 })
  const applied = applyCatalog(deps, small('9.00'))
  const telling = () => deps.db.selectFrom('workflow').select(['id', 'problem']).executeTakeFirstOrThrow()
  await expect.poll(async () => (await telling()).problem).toMatchObject({ code: 'provider_unknown_outcome' })
  // It stopped in the statement that says so, and hears of that when it is answered.
  await deps.workflows.stopped((await telling()).id)
  expect((await planCatalog(deps, small('9.00'))).map(({ action, key }) => `${action} ${key}`)).toEqual([
    'update team',
  ])
  await deps.db.updateTable('workflow').set({ nextAttemptAt: null }).execute()
  await deps.workflows.resumeDue()
  expect((await applied).length).toBe(2)
  expect(await planCatalog(deps, small('9.00'))).toEqual([])
})

test('who sells, features and what plans grant are kept, and are the same when read', async () => {
  const deps = await newInstallation()
  await applyCatalog(deps, writingApp)
  const { seller, features, plans } = await readCatalog(deps.db)
  expect(seller).toEqual(writingApp.seller)
  const byKey = (a: { key: string }, b: { key: string }) => (a.key < b.key ? -1 : 1)
  expect(features).toEqual(writingApp.features.toSorted(byKey))
  expect(plans).toEqual(writingApp.plans.toSorted(byKey))

  await applyCatalog(deps, { ...writingApp, seller: null, features: [], plans: [] })
  expect(await readCatalog(deps.db)).toMatchObject({ seller: null, features: [], plans: [] })
})

const withAddon = (amount: string) => ({
  currency: 'usd',
  products: { backups: { name: 'Backups' }, team: { name: 'Team' } },
  features: { seats: { name: 'Seats', kind: 'limit', unitLabel: 'seat' } },
  plans: {
    team: {
      name: 'Team',
      product: 'team',
      interval: 'month',
      prices: { fee: { kind: 'recurring', model: 'flat', amount: '10.00' } },
    },
  },
  addons: {
    backups: {
      name: 'Backups',
      product: 'backups',
      interval: 'month',
      plans: ['team'],
      prices: { each: { kind: 'recurring', model: 'perUnit', unitAmount: amount } },
      grants: { seats: { upTo: '1' } },
    },
  },
})

test('an add-on is published as product and price, versioned, archived and brought back', async () => {
  const deps = await newInstallation()
  const catalog = (amount: string) => defineCatalog(withAddon(amount) as never)
  const first = catalog('3.00')
  expect((await applyCatalog(deps, first)).map(({ kind, key }) => `${kind} ${key}`)).toContain(
    'addon backups',
  )
  expect(await readCatalog(deps.db)).toEqual(first)
  const atStripe = async () =>
    (await ownAtStripe(deps)).prices.map(({ unit_amount: amount, metadata }) => [
      amount,
      Object.keys(metadata).filter((name) => name.endsWith('_version')),
    ])
  expect(await atStripe()).toEqual([
    [300, ['lockstep_addon_version']],
    [1000, ['lockstep_plan_version']],
  ])
  simulator.control.clearRequests()
  expect(await applyCatalog(deps, first)).toEqual([])
  expect(simulator.control.requests().total).toBe(0)

  expect(await applyCatalog(deps, catalog('4.00'))).toMatchObject([
    { kind: 'addon', action: 'newVersion', key: 'backups', details: ['prices/each/unitAmount: 3 → 4'] },
  ])
  expect((await atStripe()).map(([amount]) => amount)).toEqual([400, 300, 1000])

  const { addons: _, ...without } = withAddon('4.00')
  const archived = await applyCatalog(deps, defineCatalog(without as never))
  expect(archived).toMatchObject([{ kind: 'addon', action: 'archive' }])
  expect((await readCatalog(deps.db)).addons).toEqual([])
  expect(await applyCatalog(deps, catalog('4.00'))).toMatchObject([{ kind: 'addon', action: 'create' }])
  expect((await atStripe()).map(([amount]) => amount)).toEqual([400, 300, 1000])
})
