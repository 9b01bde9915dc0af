import { Problem } from '@lockstep/core/problem'
import { sql } from 'kysely'
import { afterAll, expect, test } from 'vitest'
import { transaction } from '../src/postgres/transaction.ts'
import { closeGate } from '../src/usage/gate.ts'
import { openUsage } from '../src/usage/usage.ts'
import { newUsageWorld } from './support/usage-world.ts'

const world = await newUsageWorld()
const { db, usage, event, idOf } = world
afterAll(() => world.close())

const outcomeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'accepted',
    (error: unknown) => (error instanceof Problem ? error.code : 'internal_error'),
  )

async function connections(): Promise<number[]> {
  const { rows } = await sql<{ pid: number }>`select pid from pg_stat_activity
    where application_name = 'lockstep usage' and datname = current_database()`.execute(db)
  return rows.map(({ pid }) => pid)
}

test('connections killed while they write: 503, nothing half-done, and sent again each event counts once', async () => {
  const requests = Array.from({ length: 30 }, () => [event(), event({ subject: 'ben' })])
  await usage.take(event())
  for (let round = 0; round < 5; round += 1) {
    const outcomes = await transaction(db, async (trx) => {
      // Nobody gets past the gate, so all are in the middle of it when their connections go.
      await closeGate(trx, idOf('ada'))
      const sent = requests.map((request) => outcomeOf(usage.take(request)))
      const settled = Promise.all(sent)
      let ended: string[] | undefined
      void settled.then((outcomes) => {
        ended = outcomes
      })
      while (ended === undefined) {
        for (const pid of await connections()) await sql`select pg_terminate_backend(${pid})`.execute(db)
      }
      return ended
    })
    expect(new Set(outcomes)).toEqual(new Set(['database_unavailable']))
  }
  expect(await world.counts()).toMatchObject({ identities: 1n, events: 1n, counted: 1n })
  await Promise.all(requests.map((request) => usage.take(request)))
  expect(await world.counts()).toEqual({ identities: 61n, events: 61n, counted: 61n, same: true })
})

test('connections killed at any moment: what is answered is there, what is not may be sent again', async () => {
  const before = (await world.counts())?.events ?? 0n
  const requests = Array.from({ length: 400 }, () => event())
  let running = true
  const killing = (async () => {
    while (running) {
      const [pid] = await connections()
      if (pid !== undefined) await sql`select pg_terminate_backend(${pid})`.execute(db)
    }
  })()
  const failures = { count: 0 }
  const send = async (request: unknown) => {
    for (;;) {
      const outcome = await outcomeOf(usage.take(request))
      if (outcome === 'accepted') return
      expect(outcome).toBe('database_unavailable')
      failures.count += 1
      // Once it is clear that repetition is what is tested, let it come to an end.
      if (failures.count > 2000) running = false
    }
  }
  await Promise.all(requests.map(send))
  running = false
  await killing
  expect(await world.counts()).toMatchObject({ events: before + 400n, counted: before + 400n, same: true })
})

test('a request that Postgres does not take fails alone', async () => {
  await world.pool.query(`create function refuse() returns trigger language plpgsql as
    $$ begin if new.id = 'poison' then raise exception 'not this one'; end if; return new; end $$`)
  await world.pool.query(
    'create trigger refuse before insert on usage_event for each row execute function refuse()',
  )
  const requests = Array.from({ length: 20 }, (_, i) => event(i === 7 ? { id: 'poison' } : {}))
  const outcomes = await Promise.all(requests.map((request) => outcomeOf(usage.take(request))))
  expect(outcomes).toEqual(requests.map(({ id }) => (id === 'poison' ? 'internal_error' : 'accepted')))
  await world.pool.query('drop trigger refuse on usage_event')
  // Nothing of it stayed behind, so it is not a duplicate now.
  expect(await usage.take(requests)).toMatchObject({ accepted: 1, duplicates: 19 })
})

test('a month that was removed under way is made again', async () => {
  await usage.take(event({ time: '2026-01-31T00:00:00Z' }))
  await world.pool.query('drop table usage_event_2026_01')
  expect(await usage.take(event({ time: '2026-01-31T00:00:00Z' }))).toMatchObject({ accepted: 1 })
})

test('when it closes, what was taken is answered and no more is taken', async () => {
  const other = world.open()
  await other.take(event())
  const sent = Array.from({ length: 50 }, () => other.take([event(), event()]))
  await new Promise(setImmediate)
  const closed = other.close()
  expect(await outcomeOf(other.take(event()))).toBe('overloaded')
  await closed
  for (const receipt of await Promise.all(sent)) expect(receipt.accepted).toBe(2)
})

test('a database that is away is said so', async () => {
  const away = openUsage({
    db,
    databaseUrl: 'postgres://nobody@127.0.0.1:9/nothing',
    clock: world.clock,
  })
  expect(await outcomeOf(away.take(event()))).toBe('database_unavailable')
  await away.close()
})
