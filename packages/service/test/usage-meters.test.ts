import type { MeterRules } from '@lockstep/core/meter'
import { formatQuantity } from '@lockstep/core/quantity'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { seeded } from '../../../test/support/random.ts'
import { newId } from '../src/ids.ts'
import { transaction } from '../src/postgres/transaction.ts'
import { openPeriodInvoice } from '../src/store/invoices.ts'
import { sqlTime } from '../src/store/time.ts'
import { cutUsage } from '../src/store/usage.ts'
import { usageOverTime } from '../src/store/usage-over-time.ts'
import { closeGate } from '../src/usage/gate.ts'
import { addSubscription } from './support/invoices.ts'
import { at, newUsageWorld } from './support/usage-world.ts'

const world = await newUsageWorld()
const { db, usage, event, idOf } = world
afterAll(() => world.close())

beforeAll(async () => {
  await addMeter('users', 'unique', { property: 'user' })
  await addMeter('gigabytes', 'timeWeightedSum', {})
  await addMeter('succeeded', 'sum', { filter: { status: ['200', '201'] } })
  await addMeter('succeeded_users', 'unique', { property: 'user', filter: { status: ['200'] } })
})
beforeEach(async () => {
  await world.pool.query(
    'truncate usage_identity, usage_event, usage_rollup, usage_unique, usage_level, usage_cut, invoice cascade',
  )
})

async function addMeter(key: string, aggregation: 'sum' | 'unique' | 'timeWeightedSum', rules: MeterRules) {
  const meter = { key, name: key, unitLabel: 'unit', aggregation, rules: JSON.stringify(rules) }
  await db
    .insertInto('meter')
    .values({ ...meter, createdAt: sqlTime(0) })
    .execute()
}

const DAY = '2026-03-31'
const visit = (user: unknown, time: string, more: Record<string, unknown> = {}) =>
  event({ type: 'users', time: `${DAY}T${time}Z`, quantity: null, data: { user, ...more } })
const grow = (quantity: string, time: string) =>
  event({ type: 'gigabytes', time: `${DAY}T${time}Z`, quantity })

const cut = (time: string) =>
  transaction(db, async (trx) => {
    await closeGate(trx, idOf('ada'))
    await cutUsage(trx, idOf('ada'), at(`${DAY}T${time}Z`))
  })

const totalsOf = async (meter: string, start: string, end: string) =>
  (await world.totals('ada', `${DAY}T${start}Z`, `${DAY}T${end}Z`)).get(meter)
const usersOf = async (start: string, end: string) =>
  Number((await totalsOf('users', start, end))?.unique ?? 0n)
const weightedOf = async (start: string, end: string) =>
  formatQuantity((await totalsOf('gigabytes', start, end))?.weighted ?? 0n)

test('different values are counted once in a period, however many hours and requests they come in', async () => {
  await usage.take([visit('a', '10:05:00'), visit('b', '10:06:00'), visit('a', '10:07:00')])
  await usage.take([visit('b', '11:00:00'), visit('c', '11:59:59'), visit('a', '10:59:59')])
  expect(await usersOf('10:00:00', '11:00:00')).toBe(2)
  expect(await usersOf('11:00:00', '12:00:00')).toBe(2)
  expect(await usersOf('10:00:00', '12:00:00')).toBe(3)
  // How many events there were is still known.
  expect((await totalsOf('users', '10:00:00', '12:00:00'))?.count).toBe(6n)
})

test('a value is its text: a number and its digits are one, a letter more is another', async () => {
  await usage.take([
    visit(7, '10:00:00'),
    visit('7', '10:00:00'),
    visit('7 ', '10:00:00'),
    visit(true, '10:00:00'),
  ])
  await usage.take([
    visit('true', '10:00:00'),
    visit('ä', '10:00:00'),
    visit('a\u0308', '10:00:00'),
    visit('', '10:00:00'),
  ])
  // 7, "7 ", true, ä in one letter, ä in two, and nothing at all.
  expect(await usersOf('10:00:00', '11:00:00')).toBe(6)
})

test('a level is held from second to second, over the end of a period and without events', async () => {
  await usage.take([grow('2', '10:00:00'), grow('-1', '10:30:00.9'), grow('3', '11:15:30')])
  // 2 × 7200 − 1 × 5400 + 3 × 2670
  expect(await weightedOf('10:00:00', '12:00:00')).toBe('17010')
  // 1 × 3600 + 3 × 2670
  expect(await weightedOf('11:00:00', '12:00:00')).toBe('11610')
  // 4 × 3600, and nothing happens.
  expect(await weightedOf('12:00:00', '13:00:00')).toBe('14400')
  expect(await weightedOf('09:00:00', '10:00:00')).toBe('0')
})

test('a tenth of a gigabyte ten times over is one, also when it comes late', async () => {
  await usage.take(Array.from({ length: 9 }, () => grow('0.1', '11:00:00')))
  await usage.take(grow('0.1', '09:59:59'))
  // 0.1 × 1, then 0.1 × 3600, then 1 × 3600
  expect(await weightedOf('09:00:00', '10:00:00')).toBe('0.1')
  expect(await weightedOf('10:00:00', '11:00:00')).toBe('360')
  expect(await weightedOf('11:00:00', '12:00:00')).toBe('3600')
})

test('sent twice, by two processes at once, everything counts once', async () => {
  const events = [
    grow('2', '10:00:00'),
    grow('5', '10:30:00'),
    visit('a', '10:00:00'),
    visit('b', '10:30:00'),
  ]
  const other = world.open()
  await Promise.all([usage.take(events), other.take(events.toReversed()), usage.take(events)])
  await other.close()
  expect(await weightedOf('10:00:00', '11:00:00')).toBe('16200')
  expect(await usersOf('10:00:00', '11:00:00')).toBe(2)
})

test('a cut divides values and levels to the second, before and after they come', async () => {
  const events = [
    grow('2', '10:00:00'),
    grow('-1', '10:30:00'),
    visit('a', '10:10:00'),
    visit('b', '10:20:00'),
  ]
  await usage.take(events)
  await cut('10:15:00')
  await usage.take([visit('a', '10:40:00'), grow('4', '10:14:59'), visit('c', '10:14:59.999')])
  // 2 × 900 + 4 × 1
  expect(await weightedOf('10:00:00', '10:15:00')).toBe('1804')
  // 6 × 2700 − 1 × 1800
  expect(await weightedOf('10:15:00', '11:00:00')).toBe('14400')
  expect(await usersOf('10:00:00', '10:15:00')).toBe(2)
  expect(await usersOf('10:15:00', '11:00:00')).toBe(2)
  expect(await usersOf('10:00:00', '11:00:00')).toBe(3)
})

test('what a filter does not let through is taken in and counts nowhere, also when its hour is cut', async () => {
  const call = (status: unknown, quantity: string, time = '10:10:00') =>
    event({ type: 'succeeded', time: `${DAY}T${time}Z`, quantity, data: { status } })
  const events = [call(200, '1'), call('201', '20', '10:50:00'), call(404, '300'), call(undefined, '4000')]
  expect(await usage.take(events)).toEqual({ accepted: 4, duplicates: 0, conflicts: [] })
  const user = (name: string, status: string) => ({
    ...visit(name, '10:10:00', { status }),
    type: 'succeeded_users',
  })
  await usage.take([user('a', '200'), user('b', '500'), user('a', '500'), user('c', '200')])
  const check = async () => {
    const totals = await totalsOf('succeeded', '10:00:00', '11:00:00')
    expect([totals?.count, formatQuantity(totals?.sum ?? 0n)]).toEqual([2n, '21'])
    expect((await totalsOf('succeeded_users', '10:00:00', '11:00:00'))?.unique).toBe(2n)
  }
  await check()
  await cut('10:30:00')
  await check()
  expect(formatQuantity((await totalsOf('succeeded', '10:30:00', '11:00:00'))?.sum ?? 0n)).toBe('20')
  expect(await world.counts()).toMatchObject({ identities: 8n, events: 8n, counted: 4n })
  // Sent again it is known, like everything else.
  expect(await usage.take(events)).toMatchObject({ duplicates: 4 })
})

test('what is voided or amended is gone from values and levels too, and what was filtered out stays out', async () => {
  const name = ({ source, id, time }: ReturnType<typeof event>) => ({ source, id, time: at(time) })
  const [raise, more] = [grow('2', '10:00:00'), grow('1', '10:30:00')]
  const [first, second] = [visit('a', '10:00:00'), visit('b', '10:40:00')]
  const failed = event({ type: 'succeeded', time: `${DAY}T10:10:00Z`, data: { status: 500 } })
  await usage.take([raise, more, first, second, failed])
  const correct = (wanted: Parameters<typeof usage.correct>[0]) =>
    usage.correct(
      wanted,
      { id: newId('usage_correction'), by: 'test', agent: null, reason: 'wrong' },
      { dryRun: false },
    )
  await correct({ kind: 'void', event: name(more) })
  expect(await weightedOf('10:00:00', '11:00:00')).toBe('7200')
  await correct({ kind: 'amend', event: name(raise), quantity: 500_000_000n })
  expect(await weightedOf('10:00:00', '11:00:00')).toBe('1800')
  await correct({ kind: 'void', event: name(second) })
  expect(await usersOf('10:00:00', '11:00:00')).toBe(1)
  await correct({ kind: 'void', event: name(failed) })
  expect(await totalsOf('succeeded', '10:00:00', '11:00:00')).toBeUndefined()
  await expect(correct({ kind: 'amend', event: name(first), quantity: 1n })).rejects.toMatchObject({
    code: 'quantity_invalid',
  })
})

test('a change of a level is amended below zero, a sum is not', async () => {
  const down = grow('-2', '10:30:00')
  const sum = event({ type: 'succeeded', time: `${DAY}T10:10:00Z`, quantity: '2', data: { status: 200 } })
  await usage.take([grow('5', '10:00:00'), down, sum])
  const amend = ({ source, id, time }: ReturnType<typeof event>, quantity: bigint) =>
    usage.correct(
      { kind: 'amend', event: { source, id, time: at(time) }, quantity },
      { id: newId('usage_correction'), by: 'test', agent: null, reason: 'wrong' },
      { dryRun: false },
    )
  await amend(down, -3_000_000_000n)
  // 5 × 3600 − 3 × 1800
  expect(await weightedOf('10:00:00', '11:00:00')).toBe('12600')
  await expect(amend(sum, -1n)).rejects.toMatchObject({ code: 'quantity_invalid' })
  expect((await totalsOf('succeeded', '10:00:00', '11:00:00'))?.sum).toBe(2_000_000_000n)
})

test('a number is the same value however large or small, taken in or counted again', async () => {
  const numbers = [
    1e-7, 1.5e-7, -1e-9, 1e21, 1.25e21, 123456789e20, 5e-324, 1.7976931348623157e308, 0.1, 1e20, -0,
  ]
  await usage.take(numbers.map((number, i) => visit(number, `10:10:${10 + i}`)))
  await cut('10:30:00')
  await usage.take(numbers.map((number, i) => visit(number, `10:20:${10 + i}`)))
  expect(await usersOf('10:00:00', '10:30:00')).toBe(numbers.length)
})

test('usage over time: values by the hour, and a level in every hour in which it is held', async () => {
  await usage.take([
    grow('1', '06:30:00'),
    grow('-1', '09:00:00'),
    visit('a', '06:00:00'),
    visit('a', '08:00:00'),
  ])
  const period = { start: at(`${DAY}T05:00:00Z`), end: at(`${DAY}T11:00:00Z`) }
  const measured = await usageOverTime(db, { customerId: idOf('ada'), period, groupBy: 'hour' })
  const hourOf = (start: number) => new Date(start * 1000).toISOString().slice(11, 13)
  expect(
    measured.map(
      ({ meterKey, stretch, totals }) =>
        `${meterKey} ${hourOf(stretch.start)} ${totals.unique ?? formatQuantity(totals.weighted ?? 0n)} (${totals.count})`,
    ),
  ).toEqual([
    'gigabytes 06 1800 (1)',
    'gigabytes 07 3600 (0)',
    'gigabytes 08 3600 (0)',
    'gigabytes 09 0 (1)',
    'users 06 1 (1)',
    'users 08 1 (1)',
  ])
  const all = await usageOverTime(db, { customerId: idOf('ada'), period, groupBy: 'none' })
  expect(all.map(({ totals }) => totals.weighted ?? totals.unique)).toEqual([9_000_000_000_000n, 1n])
})

test('a level that changes marks its own period and every later one; what is filtered out marks none', async () => {
  const subscriptionId = await addSubscription(db, idOf('ada'))
  const periods = [
    { status: 'closing', start: '09:00:00', end: '10:00:00' },
    { status: 'closing', start: '10:00:00', end: '11:00:00' },
    { status: 'current', start: '11:00:00', end: '12:00:00' },
  ] as const
  await transaction(db, async (trx) => {
    for (const { status, start, end } of periods) {
      await openPeriodInvoice(trx, {
        ...{
          customerId: idOf('ada'),
          subscriptionId,
          planVersionId: 'plan_version_1',
          currency: 'usd',
          status,
        },
        period: { start: at(`${DAY}T${start}Z`), end: at(`${DAY}T${end}Z`) },
        openedAt: 0,
      })
    }
  })
  await world.pool.query(
    `update invoice set dirty = false, status = case when period_start = '${DAY}T09:00Z' then 'paid' else status end,
       finalized_at = case when period_start = '${DAY}T09:00Z' then period_end end`,
  )
  const marks = async () => {
    const rows = await db
      .selectFrom('invoice')
      .select(['dirty', 'lateUsage'])
      .orderBy('periodStart')
      .execute()
    await world.pool.query('update invoice set dirty = false, late_usage = false')
    return rows.map(({ dirty, lateUsage }) => (dirty ? 'dirty' : lateUsage ? 'late' : '-')).join(' ')
  }
  await usage.take(event({ type: 'succeeded', time: `${DAY}T10:10:00Z`, data: { status: 500 } }))
  expect(await marks()).toBe('- - -')
  await usage.take(event({ time: `${DAY}T10:10:00Z` }))
  expect(await marks()).toBe('- dirty -')
  await usage.take(grow('1', '10:10:00'))
  expect(await marks()).toBe('- dirty dirty')
  await usage.take(grow('1', '08:00:00'))
  expect(await marks()).toBe('late dirty dirty')
  await usage.take(grow('1', '11:30:00'))
  expect(await marks()).toBe('- - dirty')
})

test('any events, in any order, in batches of any size, with cuts between: as counted by hand', async () => {
  const { below, shuffle } = seeded(47)
  const START = at(`${DAY}T08:00:00Z`)
  const SECONDS = 2 * 3600
  const iso = (second: number) => new Date((START + second) * 1000).toISOString()
  const changes = Array.from({ length: 60 }, () => ({ second: below(SECONDS), quantity: below(9) - 3 }))
  const visits = Array.from({ length: 200 }, () => ({ second: below(SECONDS), user: `user-${below(12)}` }))
  const events = [
    ...changes.map(({ second, quantity }) =>
      event({ type: 'gigabytes', time: iso(second), quantity: `${quantity}` }),
    ),
    ...visits.map(({ second, user }) =>
      event({ type: 'users', time: iso(second), quantity: null, data: { user } }),
    ),
  ]
  const shuffled = shuffle([...events, ...events.slice(0, 80)])
  const edges = [0, 1234, 3600, 4000, 4001, 6543, SECONDS]
  let [at_, nextCut] = [0, 0]
  while (at_ < shuffled.length) {
    const size = 1 + below(40)
    await usage.take(shuffled.slice(at_, at_ + size))
    at_ += size
    const edge = edges[nextCut]
    nextCut += 1
    if (edge !== undefined) await cut(iso(edge).slice(11, 19))
  }
  for (const edge of edges.slice(nextCut)) await cut(iso(edge).slice(11, 19))

  for (const [i, start] of edges.entries()) {
    for (const end of edges.slice(i + 1)) {
      let weighted = 0
      for (let second = start; second < end; second += 1) {
        for (const change of changes) if (change.second <= second) weighted += change.quantity
      }
      const users = new Set(
        visits.filter(({ second }) => second >= start && second < end).map(({ user }) => user),
      )
      const [from, to] = [iso(start).slice(11, 19), iso(end).slice(11, 19)]
      expect([await weightedOf(from, to), await usersOf(from, to)]).toEqual([`${weighted}`, users.size])
    }
  }
})
