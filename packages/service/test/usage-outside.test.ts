import { afterAll, expect, test } from 'vitest'
import { newId } from '../src/ids.ts'
import { createMetrics } from '../src/metrics.ts'
import { noProviderInvoice } from '../src/store/invoices.ts'
import { sqlTime } from '../src/store/time.ts'
import { usageOutsidePeriods } from '../src/store/usage-outside.ts'
import { showUsage } from '../src/usage/figures.ts'
import { addSubscription } from './support/invoices.ts'
import { at, newUsageWorld } from './support/usage-world.ts'

const world = await newUsageWorld({ customers: ['ada', 'ben', 'cleo'] })
const { db, usage, event, idOf } = world
afterAll(() => world.close())

async function addPeriods(externalId: string, periods: readonly (readonly [string, string])[]) {
  const subscriptionId = await addSubscription(db, idOf(externalId))
  await db
    .insertInto('invoice')
    .values(
      periods.map(([start, end]) => ({
        id: newId('invoice'),
        customerId: idOf(externalId),
        subscriptionId,
        planVersionId: 'plan_version_1',
        billingReason: 'subscription_cycle',
        status: 'closing' as const,
        currency: 'usd',
        periodStart: sqlTime(at(start)),
        periodEnd: sqlTime(at(end)),
        openedAt: sqlTime(0),
        ...noProviderInvoice,
      })),
    )
    .execute()
}

test('usage before, between and after the periods is counted, and of whoever has none; usage in one is not', async () => {
  await addPeriods('ada', [
    ['2026-01-10T00:00:00Z', '2026-02-10T00:00:00Z'],
    ['2026-02-10T00:00:00Z', '2026-03-10T00:00:00Z'],
    ['2026-03-20T00:00:00Z', '2026-03-25T00:00:00Z'],
  ])
  const times = {
    inside: ['2026-01-10T00:00:00Z', '2026-02-09T23:59:59Z', '2026-02-10T00:00:00Z', '2026-03-24T23:59:59Z'],
    outside: ['2026-01-09T23:59:59Z', '2026-03-10T00:00:00Z', '2026-03-19T23:59:59Z', '2026-03-25T00:00:00Z'],
  }
  await usage.take([...times.inside, ...times.outside].map((time) => event({ time })))
  await usage.take([event({ subject: 'ben', type: 'count' }), event({ subject: 'ben' })])
  expect(await usageOutsidePeriods(db)).toEqual([
    { meterKey: 'count', events: 1, customers: 1 },
    { meterKey: 'sum', events: 5, customers: 2 },
  ])
  const { registry, ...metrics } = createMetrics()
  showUsage({ db, metrics: { registry, ...metrics } })
  expect(await registry.getSingleMetricAsString('lockstep_usage_events_outside_periods')).toMatch(
    /\{meter="count"\} 1\n.*\{meter="sum"\} 5$/,
  )
})

test('of periods that overlap, as of two subscriptions, only what none of them covers is outside', async () => {
  const before = await usageOutsidePeriods(db)
  await addPeriods('cleo', [['2026-01-01T00:00:00Z', '2026-03-01T00:00:00Z']])
  await addPeriods('cleo', [['2026-01-10T00:00:00Z', '2026-01-20T00:00:00Z']])
  await usage.take(event({ subject: 'cleo', type: 'max', time: '2026-02-01T00:00:00Z' }))
  expect(await usageOutsidePeriods(db)).toEqual(before)
  await usage.take(event({ subject: 'cleo', type: 'max', time: '2026-03-01T00:00:00Z' }))
  expect(await usageOutsidePeriods(db)).toContainEqual({ meterKey: 'max', events: 1, customers: 1 })
})
