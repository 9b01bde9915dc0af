import { sql } from 'kysely'
import { afterAll, expect, test } from 'vitest'
import { newDatabase } from '../../../test/support/database.ts'
import { transaction } from '../src/postgres/transaction.ts'
import { insertEvent, type ReceivedEvent } from '../src/store/provider-events.ts'
import { mortalConnection } from './support/mortal.ts'

const AT = Date.parse('2026-01-31T09:30:00Z') / 1000

const database = await newDatabase()
afterAll(() => database.drop())

const event = (id: string): ReceivedEvent => ({
  ...{
    id,
    type: 'customer.updated',
    objectType: 'customer',
    objectId: 'cus_1',
    created: AT,
    apiVersion: null,
  },
  ...{ livemode: false, payload: '{}', setAside: null, at: AT },
})

async function untilWaiting(count: number): Promise<void> {
  for (;;) {
    const { rows } = await sql<{ waiting: number }>`
      select count(distinct pid)::int as waiting from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`.execute(database.db)
    if (rows[0]?.waiting === count) return
  }
}

class Enough extends Error {}

// Each of them is met in the middle by a third one, so that both have stored half of theirs and want what the other has. One
// statement each: a connection and a query. A deadlock would take more, because each event is stored alone then.
test('two that store the same events in another order do not wait for each other', async () => {
  const ids = ['a', 'b', 'c', 'd', 'e'].map((letter) => `evt_${letter}`)
  const workers = [ids, ids.toReversed()].map((order) => ({
    order,
    connection: mortalConnection(database.url, 2),
  }))
  let stored: Promise<(bigint | undefined)[]>[] = []
  await transaction(database.db, async (trx) => {
    await insertEvent(trx, event('evt_c'))
    stored = []
    for (const [i, { order, connection }] of workers.entries()) {
      stored.push(Promise.all(order.map((id) => insertEvent(connection.db, event(id)))))
      await untilWaiting(i + 1)
    }
    throw new Enough()
  }).catch((error: unknown) => {
    if (!(error instanceof Enough)) throw error
  })
  const [first = [], second = []] = await Promise.all(stored)
  expect(first.every((observation) => observation !== undefined)).toBe(true)
  expect(second).toEqual(ids.map(() => undefined))
  for (const { connection } of workers) await connection.close()
})
