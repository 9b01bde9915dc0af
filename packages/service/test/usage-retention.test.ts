import { sql } from 'kysely'
import pg from 'pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { examineRetention } from '../src/doctor/usage-retention.ts'
import { transaction } from '../src/postgres/transaction.ts'
import { usageDrift } from '../src/store/drift.ts'
import { EventsExpired } from '../src/store/events-expired.ts'
import { cutUsage } from '../src/store/usage.ts'
import { decideMonth, dropMonth, listExpiredMonths, standingOf } from '../src/store/usage-retention.ts'
import { expireUsage, planExpiry } from '../src/usage/retention.ts'
import type { Usage } from '../src/usage/usage.ts'
import { at, type EventInput, newUsageWorld } from './support/usage-world.ts'

type World = Awaited<ReturnType<typeof newUsageWorld>>
let world: World
beforeEach(async () => {
  world = await newUsageWorld()
})
afterEach(() => world.close())

const OLD = '2024-11-05T10:15:00Z'
const NEW = '2026-03-31T10:15:00Z'
const OLD_MONTH = at('2024-11-01T00:00:00Z')
const TABLE = 'usage_event_2024_11'

/** At the end of March 2026, of 13 months: February 2025 is the first one that is kept. */
const depsOf = ({ db, pool, clock }: World) => ({ db, pool, clock, keepMonths: 13 })
const expire = () => expireUsage(depsOf(world), 'schedule')

async function use(list: readonly EventInput[], usage: Usage = world.usage) {
  const events = list.map((input) => world.event(input))
  return { events, receipt: await usage.take(events) }
}

const standing = () => standingOf(world.db, TABLE)
const expired = () => listExpiredMonths(world.db, { limit: 10 })

/** Every event that was taken in is stored, or was counted when it was dropped or came afterwards; and once. */
async function expectConserved(events: bigint) {
  const { rows } = await sql<Record<'identities' | 'stored' | 'gone' | 'counted', bigint>>`
    select (select count(*) from usage_identity) as identities, (select count(*) from usage_event) as stored,
           (select coalesce(sum(events), 0)::int8 from usage_expired) as gone,
           (select coalesce(sum(count), 0)::int8 from usage_rollup) as counted`.execute(world.db)
  const { identities, stored, gone, counted } = rows[0] ?? {}
  expect({ identities, kept: (stored ?? 0n) + (gone ?? 0n), counted }).toEqual({
    identities: events,
    kept: events,
    counted: events,
  })
  expect(await usageDrift(world.db, 10)).toEqual([])
}

test('the doctor says what the next night drops, as long as nobody has said what is to be kept', async () => {
  const look = async (keepMonths: number | null, isDecided: boolean) => {
    const { ok, detail, remedy } = await examineRetention(
      world.db,
      { keepMonths, isDecided },
      world.clock.now(),
    )
    return [ok, detail, remedy !== undefined]
  }
  const kept = [true, 'Usage events are kept for 13 months before the one that runs.', false]
  await use([{ time: '2025-02-01T00:00:00Z' }, { time: NEW }])
  expect(await look(13, false)).toEqual(kept)
  await use([{ time: OLD }])
  expect(await look(13, false)).toEqual([
    true,
    'There are usage events from 2024-11 on, and 13 months are kept: what is older, and nothing holds, is dropped tonight.',
    true,
  ])
  expect(await look(13, true)).toEqual(kept)
  expect(await look(null, true)).toEqual([true, 'Every usage event is kept.', false])
  await expire()
  expect(await look(13, false)).toEqual(kept)
})

test('the events of a month that is old enough are dropped; what counts of them stays', async () => {
  await use([
    { time: OLD, quantity: '2' },
    { time: '2024-11-30T23:59:59Z', quantity: '0.5', subject: 'ben' },
    { time: '2025-02-01T00:00:00Z' },
    { time: NEW },
  ])
  const before = await world.totals('ada', '2024-11-01T00:00:00Z', '2024-12-01T00:00:00Z')
  expect(await planExpiry(depsOf(world))).toEqual([
    { month: OLD_MONTH, verdict: 'expire', events: 2n, holds: [] },
  ])
  // That was a dry run.
  expect([await standing(), await expired()]).toEqual(['attached', []])

  await expire()
  expect(await standing()).toBe('gone')
  expect(await world.totals('ada', '2024-11-01T00:00:00Z', '2024-12-01T00:00:00Z')).toEqual(before)
  expect(await expired()).toEqual([
    {
      ...{ month: OLD_MONTH, state: 'expired', keptMonths: 13, decidedBy: 'schedule' },
      ...{ events: 2n, lateEvents: 0n },
      ...{ decidedAt: world.wall.time, expiredAt: world.wall.time },
    },
  ])
  await expectConserved(4n)
  expect(await planExpiry(depsOf(world))).toEqual([])
})

test('without a setting everything is kept', async () => {
  await use([{ time: OLD }])
  expect(await expireUsage({ ...depsOf(world), keepMonths: null }, 'schedule')).toEqual([])
  expect(await standing()).toBe('attached')
})

test('after 400 days and more an event that was dropped is still known, and another one by its name still a conflict', async () => {
  const { events } = await use([{ time: OLD }])
  const [event] = events
  await expire()
  world.wall.time += 400 * 86_400
  expect(await world.usage.take([event])).toMatchObject({ accepted: 0, duplicates: 1, conflicts: [] })
  expect(await world.usage.take([{ ...event, data: { quantity: '7' } }])).toMatchObject({
    accepted: 0,
    duplicates: 0,
    conflicts: [{ index: 0, id: event?.id }],
  })
  await expectConserved(1n)
})

test('what comes late for a month that was dropped counts, and is stored no more: wherever the month was known', async () => {
  const other = world.open()
  await use([{ time: OLD }])
  // This one will know the month as it was.
  await use([{ time: OLD }], other)
  const fresh = world.open()
  await expire()
  const usages = [world.usage, other, fresh]
  for (const usage of usages) {
    const { receipt } = await use([{ time: OLD, quantity: '2' }, { time: NEW }], usage)
    expect(receipt).toMatchObject({ accepted: 2, duplicates: 0 })
  }
  await other.close()
  await fresh.close()
  expect(await standing()).toBe('gone')
  const totals = await world.totals('ada', '2024-11-01T00:00:00Z', '2024-12-01T00:00:00Z')
  expect(totals.get('sum')).toMatchObject({ count: 5n, sum: 8_000_000_000n })
  expect(await expired()).toMatchObject([{ events: 2n, lateEvents: 3n }])
  await expectConserved(8n)
})

test('nothing that was counted is lost where the process ends after any of the steps', async () => {
  await use([{ time: OLD }, { time: OLD }, { time: NEW }])
  const decision = { month: OLD_MONTH, keptMonths: 13, decidedBy: 'schedule', decidedAt: world.wall.time }
  expect(await transaction(world.db, (trx) => decideMonth(trx, decision))).toBe(true)
  // Decided: a process that does not know the month does not store what comes, one that does still does.
  const fresh = world.open()
  await use([{ time: OLD }], fresh)
  await use([{ time: OLD }])
  expect(await world.counts()).toMatchObject({ events: 4n })

  await world.pool.query(`alter table usage_event detach partition ${TABLE} concurrently`)
  // Detached: a table of its name is there, and nobody takes it for the month's.
  for (const usage of [world.usage, fresh, world.open()]) await use([{ time: OLD }], usage)
  expect(await standing()).toBe('detached')

  // Counted and dropped, and not committed.
  const cutOff = transaction(world.db, async (trx) => {
    await dropMonth(trx, OLD_MONTH, TABLE, world.wall.time)
    throw new Error('killed')
  })
  await expect(cutOff).rejects.toThrow('killed')
  expect([await standing(), await expired()]).toMatchObject([
    'detached',
    [{ state: 'expiring', events: null }],
  ])

  await expire()
  await expire()
  expect(await standing()).toBe('gone')
  expect(await expired()).toMatchObject([{ state: 'expired', events: 3n, lateEvents: 4n }])
  await expectConserved(8n)
})

test('from its decision on nothing of a month is held against anything, nor divided while it can be read', async () => {
  await use([{ time: OLD }, { time: OLD }, { time: NEW }])
  const decision = { month: OLD_MONTH, keptMonths: 13, decidedBy: 'schedule', decidedAt: world.wall.time }
  await transaction(world.db, (trx) => decideMonth(trx, decision))
  expect(await standing()).toBe('attached')
  expect(await usageDrift(world.db, 10)).toEqual([])

  const { rows } = await world.pool.query(
    `select customer_id as id, extract(epoch from time)::int as time from usage_event order by time limit 1`,
  )
  const within = Math.floor(rows[0].time / 3600) * 3600 + 1799
  const cut = transaction(world.db, (trx) => cutUsage(trx, rows[0].id, within))
  await expect(cut).rejects.toThrow(EventsExpired)
  await expire()
  await expectConserved(3n)
})

test('detaching that was cut off is ended by the next round, and usage is taken in meanwhile', async () => {
  await use([{ time: OLD }, { time: NEW }])
  const reader = new pg.Client({ connectionString: world.url })
  await reader.connect()
  // Whoever reads the events keeps the month until they are done.
  await reader.query('begin')
  await reader.query('select count(*) from usage_event')
  const cut = expire()
  const refused = expect(cut).rejects.toThrow()
  await expect.poll(standing, { timeout: 60_000 }).toBe('detaching')
  expect((await use([{ time: OLD }, { time: NEW }])).receipt).toMatchObject({ accepted: 2 })
  await world.pool.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and query like 'alter table usage_event detach%' and pid <> pg_backend_pid()`,
  )
  await refused
  expect(await standing()).toBe('detaching')
  // Of a month that is half gone nothing is held against anything.
  expect(await usageDrift(world.db, 10)).toEqual([])
  await reader.query('rollback')
  await reader.end()
  await expire()
  expect(await expired()).toMatchObject([{ state: 'expired', events: 1n, lateEvents: 1n }])
  await expectConserved(4n)
})

test('two processes at once, and usage that comes all the while: each event counts once', async () => {
  const months = ['2024-09', '2024-10', '2024-11', '2024-12', '2025-01']
  const list = months.flatMap((month) =>
    Array.from({ length: 20 }, () => ({ time: `${month}-05T10:15:00Z` })),
  )
  await use(list)
  const other = world.open()
  const round = async (usage: Usage) => {
    for (let i = 0; i < 10; i += 1)
      await use(
        months.map((month) => ({ time: `${month}-05T10:15:00Z` })),
        usage,
      )
  }
  await Promise.all([expire(), round(world.usage), expire(), round(other)])
  await other.close()
  // Whoever came second left it to the first.
  await expire()
  expect(await expired()).toMatchObject(months.map(() => ({ state: 'expired' })))
  await expectConserved(200n)
})

test('what is gone cannot be corrected, nor told anew where nothing was: it says so', async () => {
  const { events } = await use([{ time: OLD }])
  const [gone] = events
  await expire()
  const deed = { id: 'usage_correction_1', by: 'ada', agent: null, reason: 'A faulty host' }
  const event = { source: 'test', id: gone?.id ?? '', time: at(OLD) }
  const nobodys = { ...event, id: 'nobody' }
  const place = { customerId: world.idOf('ben'), meterKey: 'sum' }
  const period = { start: at('2024-11-20T00:00:00Z'), end: at('2024-11-21T00:00:00Z') }
  const arrivals = await world.usage.read(
    [world.event({ subject: 'ben', time: '2024-11-20T10:00:00Z' })],
    '#/events',
  )
  for (const dryRun of [true, false]) {
    const correct = (wanted: Parameters<Usage['correct']>[0]) => world.usage.correct(wanted, deed, { dryRun })
    const refused = { code: 'usage_events_expired' }
    await expect(correct({ kind: 'void', event })).rejects.toMatchObject(refused)
    await expect(correct({ kind: 'amend', event, quantity: 1n })).rejects.toMatchObject(refused)
    await expect(correct({ kind: 'backfill', ...place, period, arrivals })).rejects.toMatchObject(refused)
    await expect(correct({ kind: 'void', event: nobodys })).rejects.toMatchObject({
      code: 'usage_event_not_found',
    })
  }
  await expectConserved(1n)
})

test('a month whose rollups do not hold what its events do keeps them', async () => {
  const { events } = await use([{ time: OLD }, { time: OLD, subject: 'ben' }])
  await world.pool.query('delete from usage_event where id = $1', [events[0]?.id])
  const held = {
    ...{ month: OLD_MONTH, verdict: 'hold', events: 1n },
    holds: [{ cause: 'drift', customers: 1, example: world.idOf('ada') }],
  }
  expect(await expire()).toEqual([held])
  expect(await standing()).toBe('attached')
})

test('a table that a process of an older version made again is dropped like the first', async () => {
  await use([{ time: OLD }])
  await expire()
  await world.pool.query(`
    create table ${TABLE} partition of usage_event for values from ('2024-11-01Z') to ('2024-12-01Z');
    insert into usage_event select customer_id, meter_key, '${OLD}', 3, 'test', 'older', '{}', now() from usage_rollup;
    insert into usage_identity values (gen_random_uuid(), gen_random_uuid());
    update usage_rollup set count = count + 1, sum = sum + 3`)
  await expire()
  expect(await standing()).toBe('gone')
  expect(await expired()).toMatchObject([{ events: 2n, lateEvents: 0n }])
  await expectConserved(2n)
})

test('for a customer whose clock stands earlier a month is not old', async () => {
  await world.db
    .insertInto('testClock')
    .values({
      ...{ id: 'test_clock_1', name: null, providerId: null, advancingTo: null },
      ...{ frozenAt: new Date('2025-12-31T23:00:00Z'), createdAt: new Date(0) },
    })
    .execute()
  await world.addCustomer('cyd', 'test_clock_1')
  await use([{ time: OLD, subject: 'cyd' }])
  expect(await expire()).toMatchObject([
    { verdict: 'hold', holds: [{ cause: 'clock', customers: 1, example: world.idOf('cyd') }] },
  ])
  await world.db
    .updateTable('testClock')
    .set({ frozenAt: new Date('2026-01-01T00:00:00Z') })
    .execute()
  expect(await expire()).toMatchObject([{ verdict: 'expire', events: 1n }])
})
