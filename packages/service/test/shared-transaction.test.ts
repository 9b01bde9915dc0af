import { sql } from 'kysely'
import { afterAll, expect, test } from 'vitest'
import { newDatabase } from '../../../test/support/database.ts'
import type { Trx } from '../src/postgres/connect.ts'
import { grouped } from '../src/postgres/grouped.ts'
import { insertRows } from '../src/postgres/insert-rows.ts'
import { sharedTransactions } from '../src/postgres/shared-transaction.ts'
import { hasCommitted, transaction } from '../src/postgres/transaction.ts'
import { sqlTime } from '../src/store/time.ts'

const database = await newDatabase()
const { db } = database
afterAll(() => database.drop())

const insertProducts = insertRows('product', ['key', 'name', 'createdAt'])
const idOf = async (trx: Trx) => {
  const { rows } = await sql<{ id: string }>`select pg_current_xact_id()::text as id`.execute(trx)
  return rows[0]?.id
}
const keys = async () => {
  const rows = await db.selectFrom('product').select('key').orderBy('key').execute()
  return rows.map(({ key }) => key)
}

/** Adds products, in statements that are counted. */
function products() {
  const statements: string[][] = []
  const add = grouped(async (trx, all: readonly string[]): Promise<undefined[]> => {
    statements.push([...all])
    await insertProducts(
      trx,
      all.map((key) => ({ key, name: key, createdAt: sqlTime(0) })),
    )
    return all.map(() => undefined)
  })
  return { add, statements }
}

test('what is asked for at once is one transaction, one statement for each thing that all of them do', async () => {
  const inTurn = sharedTransactions()
  const { add, statements } = products()
  const trxs: Trx[] = []
  const work = (key: string) =>
    inTurn(key)(db, async (trx) => {
      trxs.push(trx)
      await add(trx, key)
      return { key, id: await idOf(trx) }
    })
  const done = await Promise.all(['a', 'b', 'c'].map(work))
  expect(done.map(({ key }) => key)).toEqual(['a', 'b', 'c'])
  expect(new Set(done.map(({ id }) => id)).size).toBe(1)
  expect(statements).toEqual([['a', 'b', 'c']])
  expect(trxs.every(hasCommitted)).toBe(true)
  expect(await keys()).toEqual(['a', 'b', 'c'])
})

test('whoever fails is told the own error, and what it did does not stand; the others are done', async () => {
  const inTurn = sharedTransactions()
  const { add } = products()
  const work = (key: string) =>
    inTurn(key)(db, async (trx) => {
      await add(trx, key)
      if (key === 'e') throw new Error(`no ${key}`)
      return key
    })
  const ended = await Promise.allSettled(['d', 'e', 'f', 'a'].map(work))
  expect(ended.map((end) => (end.status === 'fulfilled' ? end.value : String(end.reason)))).toEqual([
    'd',
    'Error: no e',
    'f',
    'error: duplicate key value violates unique constraint "product_pkey"',
  ])
  expect(await keys()).toEqual(['a', 'b', 'c', 'd', 'f'])
})

test('two of the same are never in one transaction', async () => {
  const inTurn = sharedTransactions()
  const work = (of: string) => inTurn(of)(db, idOf)
  const [first, same, other] = await Promise.all([work('x'), work('x'), work('y')])
  expect(first).toBe(other)
  expect(same).not.toBe(first)
})

test('nobody waits for a lock that another one needs', async () => {
  const inTurn = sharedTransactions()
  const rename = (key: string) =>
    inTurn(key)(db, (trx) => sql`update product set name = 'new' where key = ${key}`.execute(trx))
  const held = Promise.withResolvers<void>()
  const isHeld = Promise.withResolvers<void>()
  const holder = transaction(db, async (trx) => {
    await sql`select from product where key = 'a' for update`.execute(trx)
    isHeld.resolve()
    await held.promise
  })
  await isHeld.promise
  const blocked = rename('a')
  await Promise.all(['b', 'c'].map(rename))
  held.resolve()
  await Promise.all([holder, blocked])
  const renamed = await db
    .selectFrom('product')
    .select('key')
    .where('name', '=', 'new')
    .orderBy('key')
    .execute()
  expect(renamed.map(({ key }) => key)).toEqual(['a', 'b', 'c'])
})
