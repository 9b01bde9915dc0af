import { measure } from '@lockstep/core/meter'
import { formatQuantity } from '@lockstep/core/quantity'
import { sql } from 'kysely'
import { afterAll, expect, test } from 'vitest'
import { seeded } from '../../../test/support/random.ts'
import { transaction } from '../src/postgres/transaction.ts'
import { usageDrift } from '../src/store/drift.ts'
import { sqlTime } from '../src/store/time.ts'
import { cutUsage } from '../src/store/usage.ts'
import { usageByGroup } from '../src/store/usage-groups.ts'
import { usageOverTime } from '../src/store/usage-over-time.ts'
import { recountUsage } from '../src/store/usage-recount.ts'
import { closeGate } from '../src/usage/gate.ts'
import { at, newUsageWorld } from './support/usage-world.ts'

const world = await newUsageWorld()
const { db, usage, event, idOf } = world
afterAll(() => world.close())
world.wall.time = at('2026-04-01T00:00:00Z')

const DIMENSIONS = ['app', 'region']
const aggregations = ['sum', 'max', 'last', 'count', 'unique', 'timeWeightedSum'] as const
type Aggregation = (typeof aggregations)[number]

for (const aggregation of aggregations) {
  const rules = { dimensions: DIMENSIONS, ...(aggregation === 'unique' && { property: 'user' }) }
  await db
    .insertInto('meter')
    .values({
      ...{ key: `by_${aggregation}`, name: aggregation, unitLabel: 'unit', aggregation },
      ...{ rules: JSON.stringify(rules), createdAt: sqlTime(0) },
    })
    .execute()
}

const period = { start: at('2026-03-31T00:00:00Z'), end: at('2026-04-01T00:00:00Z') }

async function groupsOf(aggregation: Aggregation, groupBy: readonly string[]): Promise<Map<string, string>> {
  const groups = await usageByGroup(db, {
    ...{ customerId: idOf('ada'), meterKey: `by_${aggregation}`, period, dimensions: DIMENSIONS, groupBy },
  })
  return new Map(
    groups.map(({ values, totals }) => [
      JSON.stringify(values),
      formatQuantity(measure({ aggregation }, totals)),
    ]),
  )
}

interface Sent {
  readonly second: number
  readonly id: string
  readonly quantity: number
  readonly user: string
  readonly app?: string
  readonly region?: string
}

/** By hand: each group's events, added up in whole numbers without anything that the service does. */
function expected(sent: readonly Sent[], aggregation: Aggregation, groupBy: readonly ('app' | 'region')[]) {
  const groups = new Map<string, Sent[]>()
  for (const one of sent) {
    const key = JSON.stringify(groupBy.map((name) => one[name] ?? null))
    groups.set(key, [...(groups.get(key) ?? []), one])
  }
  return new Map([...groups].map(([key, list]) => [key, `${quantityOf(list, aggregation)}`]))
}

function quantityOf(list: readonly Sent[], aggregation: Aggregation): number {
  const latest = list.toSorted((a, b) => a.second - b.second || (a.id < b.id ? -1 : 1)).at(-1)
  switch (aggregation) {
    case 'count':
      return list.length
    case 'sum':
      return list.reduce((sum, { quantity }) => sum + quantity, 0)
    case 'max':
      return Math.max(...list.map(({ quantity }) => quantity))
    case 'last':
      return latest?.quantity ?? 0
    case 'unique':
      return new Set(list.map(({ user }) => user)).size
    case 'timeWeightedSum':
      return list.reduce((sum, { quantity, second }) => sum + quantity * (86_400 - second), 0)
  }
}

test('whatever the order, the repetitions and the cuts, each group comes to what its events do', async () => {
  const random = seeded(7)
  const sent: Sent[] = Array.from({ length: 300 }, (_, i) => {
    const [app, region] = [random.pick(['web', 'api', '-']), random.pick(['eu', 'ü', '', '-'])]
    return {
      ...{ second: random.below(86_400), id: `e${String(i).padStart(4, '0')}` },
      ...{ quantity: 1 + random.below(9), user: random.pick(['a', 'b', 'c', 'd']) },
      ...(app !== '-' && { app }),
      ...(region !== '-' && { region }),
    }
  })
  const check = async () => {
    for (const aggregation of aggregations) {
      for (const groupBy of [['app', 'region'], ['app'], ['region']] as const) {
        expect(await groupsOf(aggregation, groupBy)).toEqual(expected(sent, aggregation, groupBy))
      }
    }
  }
  const eventsOf = (aggregation: Aggregation) =>
    sent.map(({ second, id, quantity, ...data }) =>
      event({
        ...{ id: `${aggregation}-${id}`, type: `by_${aggregation}`, quantity: `${quantity}`, data },
        time: new Date((period.start + second) * 1000).toISOString(),
      }),
    )
  const all = aggregations.flatMap(eventsOf)
  for (let from = 0; from < all.length; from += 100)
    await usage.take(all.slice(from, from + 100).toReversed())
  await usage.take(all.slice(50, 250))
  await check()
  const customerId = idOf('ada')
  await transaction(db, async (trx) => {
    await closeGate(trx, customerId)
    await cutUsage(trx, customerId, at('2026-03-31T10:20:30Z'))
    // Everything counted again from the events says the same.
    await recountUsage(trx, { customerId, period })
  })
  await check()
  await usage.take(all.slice(0, 10))
  await check()
})

test('usage over time is kept apart, and of some values alone', async () => {
  const of = (hour: string, quantity: string, data: Record<string, unknown>) =>
    event({ type: 'by_sum', subject: 'ben', time: `2026-03-31T${hour}:00:00Z`, quantity, data })
  await usage.take([
    of('10', '1', { app: 'web', region: 'eu' }),
    of('10', '2', { app: 'api', region: 'eu' }),
    of('11', '4', { app: 'web', region: 'us' }),
    of('11', '8', { app: 'web' }),
  ])
  const read = async (groupBy: string[], only: Record<string, string | null>, step: 'hour' | 'none') =>
    (
      await usageOverTime(db, {
        ...{ customerId: idOf('ben'), period, meterKey: 'by_sum', groupBy: step },
        groups: { dimensions: DIMENSIONS, groupBy, only },
      })
    ).map(({ stretch, values, totals }) => [
      new Date(stretch.start * 1000).getUTCHours(),
      values,
      formatQuantity(totals.sum),
    ])
  expect(await read(['region'], {}, 'hour')).toEqual([
    [10, ['eu'], '3'],
    [11, ['us'], '4'],
    [11, [null], '8'],
  ])
  expect(await read(['region'], { app: 'web' }, 'none')).toEqual([
    [0, ['eu'], '1'],
    [0, ['us'], '4'],
    [0, [null], '8'],
  ])
  expect(await read([], { region: null }, 'none')).toEqual([[0, [], '8']])
})

test('of groups measured as one, the last event is the same in whatever order they came', async () => {
  const same = (source: string, app: string, quantity: string) =>
    event({
      ...{ type: 'by_last', subject: 'ben', source, id: 'same', time: '2026-03-31T10:00:00Z' },
      ...{ quantity, data: { app, region: 'eu' } },
    })
  await usage.take([same('one', 'web', '9')])
  await usage.take([same('two', 'api', '3')])
  const [group] = await usageByGroup(db, {
    ...{ customerId: idOf('ben'), meterKey: 'by_last', period },
    ...{ dimensions: DIMENSIONS, groupBy: ['region'] },
  })
  expect(group?.totals.last).toBe(9_000_000_000n)
})

test('values of every kind are the same groups when their events are counted again', async () => {
  const values = [
    1e21,
    1e-7,
    -0,
    200,
    '200',
    true,
    'true',
    Number.POSITIVE_INFINITY,
    '',
    '3:a',
    'a'.repeat(3000),
  ]
  await usage.take(
    values.map((region) =>
      event({
        type: 'by_sum',
        subject: 'ben',
        time: '2026-03-30T10:00:00Z',
        quantity: '1',
        data: { region },
      }),
    ),
  )
  const customerId = idOf('ben')
  const day = { start: at('2026-03-30T00:00:00Z'), end: at('2026-03-31T00:00:00Z') }
  const read = async () =>
    (
      await usageByGroup(db, {
        ...{ customerId, meterKey: 'by_sum', period: day },
        ...{ dimensions: DIMENSIONS, groupBy: ['region'] },
      })
    )
      .map(
        ({ key, values: [value], totals }) =>
          `${key.length} ${value?.slice(0, 30)} ${formatQuantity(totals.sum)}`,
      )
      .sort()
  const expected = [
    '32  1',
    '32 0 1',
    '32 1e+21 1',
    '32 1e-7 1',
    '32 200 2',
    '32 3:a 1',
    `32 ${'a'.repeat(30)} 1`,
    '32 true 2',
    '32 undefined 1',
  ]
  expect(await read()).toEqual(expected)
  await transaction(db, async (trx) => {
    await closeGate(trx, customerId)
    await recountUsage(trx, { customerId, period: day })
  })
  expect(await read()).toEqual(expected)
})

// 7 of eu and 5 of us. The group of eu is damaged by 2, so it holds 9; all together still hold 12.
test('a group that does not hold what its events do is found, and so are meters with a filter', async () => {
  const rules = { dimensions: ['region'], filter: { status: ['200'] } }
  const place = { customerId: await world.addCustomer('dan'), meterKey: 'filtered' }
  await db
    .insertInto('meter')
    .values({
      ...{ key: 'filtered', name: 'Filtered', unitLabel: 'unit', aggregation: 'sum' },
      ...{ rules: JSON.stringify(rules), createdAt: sqlTime(0) },
    })
    .execute()
  const of = (quantity: string, data: Record<string, unknown>) =>
    event({ type: 'filtered', subject: 'dan', quantity, data })
  await usage.take([
    of('7', { region: 'eu', status: 200 }),
    of('5', { region: 'us', status: '200' }),
    of('100', { region: 'us', status: 404 }),
  ])
  expect(await usageDrift(db, 10)).toEqual([])
  const damage = (by: number) =>
    db
      .updateTable('usageGroupRollup')
      .set({ sum: sql`sum + ${by}` })
      .where('customerId', '=', place.customerId)
      .where('max', '=', '7')
      .execute()
  await damage(2)
  const [eu, ...others] = await usageDrift(db, 10)
  expect([eu, others]).toEqual([
    { ...place, named: '["eu"]', events: '1 events, 7', rolledUp: '1 events, 9' },
    [],
  ])
  await damage(-2)
  await db.deleteFrom('usageRollup').where('customerId', '=', place.customerId).execute()
  expect(await usageDrift(db, 10)).toEqual([
    { ...place, named: '', events: '2 events, 12', rolledUp: '0 events, 0' },
  ])
  await db.deleteFrom('usageGroupRollup').where('customerId', '=', place.customerId).execute()
  expect((await usageDrift(db, 10)).map(({ named, rolledUp }) => `${named} ${rolledUp}`)).toEqual([
    ' 0 events, 0',
    '["eu"] 0 events, 0',
    '["us"] 0 events, 0',
  ])
})
