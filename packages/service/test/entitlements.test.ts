import { accessOf } from '@lockstep/core/access'
import { defineCatalog } from '@lockstep/core/catalog'
import { entitlementOf } from '@lockstep/core/entitlement'
import { formatQuantity } from '@lockstep/core/quantity'
import { subscriptionStatuses } from '@lockstep/core/subscription'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { entitlementRoutes } from '../src/http/routes/entitlements.ts'
import { accessSql, readGrants } from '../src/store/entitlements.ts'
import { type BillingWorld, newBillingWorld } from './support/billing-world.ts'
import { newServer } from './support/server.ts'

const catalog = defineCatalog({
  currency: 'usd',
  products: { app: { name: 'App' } },
  meters: {
    calls: { name: 'Calls', unitLabel: 'call', aggregation: 'sum' },
    level: { name: 'Level', unitLabel: 'unit', aggregation: 'max' },
  },
  features: {
    together: { name: 'Together', kind: 'switch' },
    seats: { name: 'Seats', kind: 'limit', unitLabel: 'seat' },
    calls: { name: 'Calls', kind: 'metered', meter: 'calls' },
    level: { name: 'Level', kind: 'metered', meter: 'level' },
  },
  plans: {
    team: {
      name: 'Team',
      product: 'app',
      interval: 'month',
      prices: { fee: { kind: 'recurring', model: 'flat', amount: '9.00' } },
      grants: { seats: { upTo: '5' }, calls: { upTo: '100' }, level: { upTo: '10' } },
    },
    extra: {
      name: 'Extra',
      product: 'app',
      interval: 'month',
      prices: { fee: { kind: 'recurring', model: 'flat', amount: '1.00' } },
      grants: { together: true },
    },
  },
})

let world: BillingWorld
beforeAll(async () => {
  world = await newBillingWorld({ catalog })
})
afterAll(() => world.close())

/** The answers in a line each. */
async function answers(customer: string, feature?: string): Promise<string[]> {
  const found = await readGrants(world.db, { customer, feature })
  return found.map((each) => {
    const { allowed, reason, left, by } = entitlementOf(each.feature, each.grantedBy, each)
    const rest = left === null ? '' : ` ${formatQuantity(left)} left`
    return `${each.feature.key} ${allowed ? 'yes' : 'no'} ${reason}${rest}${by ? ` by ${by.plan}` : ''}`
  })
}

test('access in SQL is access in code, for every status', async () => {
  for (const status of subscriptionStatuses) {
    const { rows } = await sql`select ${accessSql(sql.lit(status))} as access`.execute(world.db)
    expect([status, rows]).toEqual([status, [{ access: accessOf(status) }]])
  }
})

test('a customer’s entitlements follow plan, usage and period', async () => {
  const ada = await world.register('team', '2026-01-31T09:30:00Z')
  await world.turn(ada, '2026-02-10T00:00:00Z')
  await world.deliver()
  await world.use(ada, '30', '2026-02-01T00:00:00Z', 'calls')
  await world.use(ada, '7', '2026-02-01T00:00:00Z', 'level')
  await world.use(ada, '4', '2026-02-02T00:00:00Z', 'level')
  expect(await answers(ada.customerId)).toEqual([
    'calls yes granted 70 left by team',
    'level yes granted 3 left by team',
    'seats yes granted by team',
    'together no not_granted',
  ])
  await world.use(ada, '70', '2026-02-03T00:00:00Z', 'calls')
  expect(await answers(ada.externalId, 'calls')).toEqual(['calls no used_up 0 left by team'])

  await world.registerAlso(ada, 'extra', 'more')
  expect(await answers(ada.customerId, 'together')).toEqual(['together yes granted by extra'])

  // The next period begins in the middle of an hour, anew.
  await world.turn(ada, '2026-02-28T09:31:00Z')
  await world.deliver()
  await world.use(ada, '1', '2026-02-28T09:29:59Z', 'calls')
  await world.use(ada, '2', '2026-02-28T09:30:00Z', 'calls')
  expect(await answers(ada.customerId, 'calls')).toEqual(['calls yes granted 98 left by team'])
})

test('it is one read, answered over HTTP with the row it rests on', async () => {
  const ada = await world.register('team', '2026-01-31T09:30:00Z')
  const server = await newServer(world)
  entitlementRoutes(server.app, world)
  const ask = async (query: string) => {
    const { status, body } = await server.call({ method: 'GET', url: `/v1/entitlements?${query}` })
    return { status, body: body as { code?: string; data?: unknown[] } }
  }
  const { status, body } = await ask(`customer=${ada.externalId}&feature=seats`)
  expect(status).toBe(200)
  expect(body).toEqual({
    customer: ada.customerId,
    data: [
      {
        ...{ feature: 'seats', name: 'Seats', kind: 'limit', unitLabel: 'seat' },
        ...{ allowed: true, reason: 'granted', upTo: '5', used: null, left: null },
        source: {
          ...{
            subscription: ada.subscriptionId,
            status: 'active',
            access: 'full',
            plan: 'team',
            planVersion: 1,
          },
          period: { start: '2026-01-31T09:30:00Z', end: '2026-02-28T09:30:00Z' },
        },
      },
    ],
  })
  expect(await ask('customer=nobody')).toMatchObject({ status: 404, body: { code: 'customer_not_found' } })
  expect(await ask(`customer=${ada.customerId}&feature=nix`)).toMatchObject({
    status: 404,
    body: { code: 'feature_not_found' },
  })
})
