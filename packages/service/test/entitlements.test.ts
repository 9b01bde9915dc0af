import { accessOf } from '@lockstep/core/access'
import { defineCatalog } from '@lockstep/core/catalog'
import { entitlementOf } from '@lockstep/core/entitlement'
import { formatQuantity } from '@lockstep/core/quantity'
import { subscriptionStatuses } from '@lockstep/core/subscription'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { entitlementRoutes } from '../src/http/routes/entitlements.ts'
import { accessSql } from '../src/store/access.ts'
import { readGrants } from '../src/store/entitlements.ts'
import { sqlTime } from '../src/store/time.ts'
import { applyCatalog } from '../src/workflow/apply-catalog.ts'
import { newBillingWorld } from './support/billing-world.ts'
import { newServer } from './support/server.ts'
import { shared } from './support/shared.ts'

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

const world = await shared(newBillingWorld({ catalog }))

/** The answers in a line each. */
async function answers(customer: string, feature?: string): Promise<string[]> {
  const found = await readGrants(world.db, { customer, feature, now: world.wall.time })
  return found.map((each) => {
    const { allowed, reason, left, by } = entitlementOf(each.feature, each.grantedBy, each)
    const rest = left === null ? '' : ` ${formatQuantity(left)} left`
    return `${each.feature.key} ${allowed ? 'yes' : 'no'} ${reason}${rest}${by ? ` by ${by.plan}` : ''}`
  })
}

test('access in SQL is access in code: for every status, grace, and second around its end', async () => {
  const since = Date.parse('2026-03-27T22:30:00Z') / 1000
  for (const days of [null, 0, 1, 14, 365]) {
    await world.pool.query('delete from grace')
    if (days !== null) await world.pool.query('insert into grace (days) values ($1)', [days])
    const end = since + (days ?? 3) * 86_400
    for (const status of subscriptionStatuses)
      for (const pastDueSince of [null, since])
        for (const at of [since - 1, since, end - 1, end, end + 1]) {
          const columns = {
            status: sql.lit(status),
            pastDueSince: sql`${pastDueSince === null ? null : sqlTime(pastDueSince)}::timestamptz`,
            at: sql`${sqlTime(at)}::timestamptz`,
          }
          // Where a day of the session's zone is not 24 hours, one of grace is all the same.
          const access = await world.db.transaction().execute(async (trx) => {
            await sql`set local time zone 'Europe/Berlin'`.execute(trx)
            return (await sql<{ access: string }>`select ${accessSql(columns)} as access`.execute(trx))
              .rows[0]?.access
          })
          expect([days, status, pastDueSince, at, access]).toEqual([
            ...[days, status, pastDueSince, at],
            accessOf({ status, pastDueSince }, { days }, at),
          ])
        }
  }
  await world.pool.query('delete from grace')
})

test('grace is the catalogue’s, by the customer’s own time; a replaced card ends it, and gives access back', async () => {
  const zoe = await world.register('team', '2026-01-10T00:00:00Z')
  await world.deliver()
  const use = async (method: string) => {
    const { id } = await world.stripe.paymentMethods.attach(method, { customer: zoe.customer })
    await world.stripe.customers.update(zoe.customer, { invoice_settings: { default_payment_method: id } })
  }
  await applyCatalog({ ...world.deps, workflows: world.workflows }, { ...catalog, grace: { days: 2 } })
  await use('pm_card_chargeCustomerFail')
  const story: string[] = []
  const look = async (time: string) => {
    await world.turn(zoe, time)
    await world.deliver()
    story.push(`${time.slice(5, 16)} ${(await answers(zoe.customerId, 'seats')).join()}`)
  }
  await look('2026-02-10T02:00:00Z')
  await look('2026-02-12T01:59:59Z')
  await look('2026-02-12T02:00:00Z')
  await use('pm_card_visa')
  const { data } = await world.stripe.invoices.list({ customer: zoe.customer, status: 'open' })
  await world.stripe.invoices.pay(data[0]?.id ?? '')
  await look('2026-02-12T02:00:01Z')
  expect(story).toEqual([
    '02-10T02:00 seats yes granted by team',
    '02-12T01:59 seats yes granted by team',
    '02-12T02:00 seats no inactive by team',
    '02-12T02:00 seats yes granted by team',
  ])
  await applyCatalog({ ...world.deps, workflows: world.workflows }, catalog)
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
  entitlementRoutes(server.app, world.deps)
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
        ...{ allowed: true, reason: 'granted', upTo: '5', used: null, left: null, cappedBy: null },
        source: {
          ...{
            subscription: ada.subscriptionId,
            status: 'active',
            access: 'full',
            plan: 'team',
            addons: [],
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
