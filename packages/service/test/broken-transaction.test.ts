import { sql } from 'kysely'
import { afterAll, expect, test } from 'vitest'
import { newDatabase } from '../../../test/support/database.ts'
import type { Trx } from '../src/postgres/connect.ts'
import { sharedTransactions } from '../src/postgres/shared-transaction.ts'
import { transaction } from '../src/postgres/transaction.ts'
import { isDatabaseUnavailable } from '../src/postgres/unavailable.ts'

const database = await newDatabase()
const { db } = database
afterAll(() => database.drop())

/** Ends the connection. */
const breakOff = (trx: Trx) => sql`select pg_terminate_backend(pg_backend_pid())`.execute(trx)

/** Goes on after the connection is known to have ended. */
async function askAgain(trx: Trx): Promise<void> {
  await breakOff(trx).catch(() => {})
  await new Promise((resolve) => setImmediate(resolve))
  await breakOff(trx).catch(() => {})
  await breakOff(trx)
}

/** Has the connection end in the middle of the commit. */
async function breakAtCommit(trx: Trx): Promise<void> {
  await sql`create temporary table last (id int) on commit drop`.execute(trx)
  await sql`create function pg_temp.break() returns trigger language plpgsql as
    $$ begin perform pg_terminate_backend(pg_backend_pid()); return null; end $$`.execute(trx)
  await sql`create constraint trigger break after insert on last deferrable initially deferred
    for each row execute function pg_temp.break()`.execute(trx)
  await sql`insert into last values (1)`.execute(trx)
}

test.for([
  ['in the middle', breakOff],
  ['before the next question', askAgain],
  ['at the commit', breakAtCommit],
] as const)('a connection that ends %s is told as such', async ([, end]) => {
  const error: unknown = await transaction<unknown>(db, end).catch((error) => error)
  expect(isDatabaseUnavailable(error), String(error)).toBe(true)
})

test.for([
  ['in the middle', breakOff],
  ['before the next question', askAgain],
  ['at the commit', breakAtCommit],
] as const)(
  'where it ends %s, nothing that shared the transaction is done a second time',
  async ([, end]) => {
    const inTurn = sharedTransactions()
    const begun: string[] = []
    const work = (key: string) =>
      inTurn(key)(db, async (trx) => {
        begun.push(key)
        if (key === 'b') await end(trx)
      })
    const ended = await Promise.allSettled(['a', 'b', 'c'].map(work))
    expect(begun).toEqual(['a', 'b', 'c'])
    for (const end of ended) {
      const reason: unknown = end.status === 'rejected' ? end.reason : 'done'
      expect(isDatabaseUnavailable(reason), String(reason)).toBe(true)
    }
  },
)
