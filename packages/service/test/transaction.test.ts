import { sql } from 'kysely'
import { afterAll, expect, test } from 'vitest'
import { newDatabase } from '../../../test/support/database.ts'
import type { Db, Trx } from '../src/postgres/connect.ts'
import { inOnePacket } from '../src/postgres/packet.ts'
import { assertOutsideTransaction, transaction } from '../src/postgres/transaction.ts'
import { sqlTime } from '../src/store/time.ts'

const database = await newDatabase()
const { db, pool } = database
afterAll(() => database.drop())

const product = (key: string) => ({ key, name: key, createdAt: sqlTime(0) })

test('a provider call inside a transaction is a mistake that shows', async () => {
  assertOutsideTransaction()
  await expect(transaction(db, async () => assertOutsideTransaction())).rejects.toThrow(
    'inside a database transaction',
  )
  assertOutsideTransaction()
})

test('what fails leaves nothing behind', async () => {
  const work = transaction(db, async (trx) => {
    await trx.insertInto('product').values(product('lost')).execute()
    throw new Error('no')
  })
  await expect(work).rejects.toThrow('no')
  expect(await db.selectFrom('product').where('key', '=', 'lost').selectAll().execute()).toEqual([])
})

test('the victim of a deadlock runs again', async () => {
  await db
    .insertInto('product')
    .values([product('a'), product('b')])
    .execute()
  let begun = 0
  let holding = 0
  const bothHoldOne = Promise.withResolvers<void>()
  const isOneDone = Promise.withResolvers<void>()
  const swap = async (first: string, second: string) => {
    await transaction(db, async (trx) => {
      const rename = (key: string) =>
        trx
          .updateTable('product')
          .set({ name: `by ${first}` })
          .where('key', '=', key)
          .execute()
      begun += 1
      // Sooner, it could be before the other at what it let go, and make a deadlock of its own.
      if (begun > 2) await isOneDone.promise
      await rename(first)
      holding += 1
      if (holding === 2) bothHoldOne.resolve()
      await bothHoldOne.promise
      await rename(second)
    })
    isOneDone.resolve()
  }
  await Promise.all([swap('a', 'b'), swap('b', 'a')])
  // Two attempts made the deadlock, a third ended it.
  expect(begun).toBe(3)
})

test('times, whole numbers, decimals and JSON come back exactly as they were', async () => {
  const { rows } = await pool.query(`select timestamptz '2026-01-31 10:30:00.999+01' as time,
    timestamptz '1969-12-31 23:59:59.5+00' as before, 9007199254740993::int8 as big,
    1.000000000000000001::numeric as exact, '{"some_key":{"inner_key":[1]}}'::jsonb as json,
    'infinity'::timestamptz as never, null::timestamptz as nothing`)
  expect(rows).toEqual([
    {
      time: Date.parse('2026-01-31T09:30:00Z') / 1000,
      before: -1,
      big: 9007199254740993n,
      exact: '1.000000000000000001',
      json: { some_key: { inner_key: [1] } },
      never: Number.POSITIVE_INFINITY,
      nothing: null,
    },
  ])
})

test('keys inside JSON keep their case, column names are translated', async () => {
  await db
    .insertInto('workflow')
    .values({
      id: 'workflow_1',
      kind: 'test',
      subjectId: 'x',
      input: JSON.stringify({ snake_case: [{ camelCase: 1 }] }),
      state: 'running',
      createdAt: sqlTime(1_000_000_000),
    })
    .execute()
  const row = await db.selectFrom('workflow').selectAll().executeTakeFirstOrThrow()
  expect(row.input).toEqual({ snake_case: [{ camelCase: 1 }] })
  expect(row).toMatchObject({ subjectId: 'x', createdAt: 1_000_000_000, leaseUntil: null })
})

test('reads that are asked together go out on one connection, in their order', async () => {
  const ask = (db: Db | Trx) => sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db)
  const pids = await inOnePacket(db, async (held) => {
    const [one, other] = await Promise.all([ask(held), ask(held)])
    return [one.rows[0]?.pid, other.rows[0]?.pid]
  })
  expect(new Set(pids).size).toBe(1)
  expect(await transaction(db, (trx) => inOnePacket(trx, async (held) => held === trx))).toBe(true)
})
