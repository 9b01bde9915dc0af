import { sql } from 'kysely'
import { afterAll, expect, test } from 'vitest'
import { newDatabase } from '../../../test/support/database.ts'
import { grouped } from '../src/postgres/grouped.ts'
import { transaction } from '../src/postgres/transaction.ts'

const database = await newDatabase()
const { db } = database
afterAll(() => database.drop())

/** Answers each with ten times itself, and keeps what came together. */
function tenfold({ refused, patienceMs = 0 }: { refused?: number; patienceMs?: number } = {}) {
  const batches: number[][] = []
  const ask = grouped(
    async (_db, all: readonly number[]) => {
      batches.push([...all])
      await sql`select 1`.execute(_db)
      if (refused !== undefined && all.includes(refused)) throw new Error(`not ${refused}`)
      return all.map((one) => one * 10)
    },
    { patienceMs },
  )
  return { ask, batches }
}

test('what comes in one turn of the event loop shares a statement, and what comes while one is under way the next', async () => {
  const { ask, batches } = tenfold()
  const first = [1, 2].map((one) => ask(db, one))
  await new Promise(setImmediate)
  expect(batches).toEqual([[1, 2]])
  const next = [3, 4].map((one) => ask(db, one))
  expect(await Promise.all([...first, ...next])).toEqual([10, 20, 30, 40])
  expect(batches).toEqual([
    [1, 2],
    [3, 4],
  ])
  expect(await ask(db, 5)).toBe(50)
})

test('where nobody minds a wait, what comes in the next turns shares the statement too', async () => {
  const batches: number[][] = []
  const ask = grouped(
    async (_db, all: readonly number[]) => {
      batches.push([...all])
      return all
    },
    { gatherMs: 1 },
  )
  const first = ask(db, 1)
  // Behind the first in the same turn: no timer goes off in between.
  await new Promise(setImmediate)
  const next = ask(db, 2)
  expect(await Promise.all([first, next])).toEqual([1, 2])
  expect(batches).toEqual([[1, 2]])
  expect(await ask(db, 3)).toBe(3)
})

const A_MINUTE = 60_000

test('with patience, who went on together shares the next statement too, though they come apart', async () => {
  const { ask, batches } = tenfold({ patienceMs: A_MINUTE })
  await Promise.all([1, 2, 3].map((one) => ask(db, one)))
  const first = ask(db, 4)
  await sql`select 1`.execute(db)
  const second = ask(db, 5)
  await sql`select 1`.execute(db)
  const last = [6, 7].map((one) => ask(db, one))
  expect(await Promise.all([first, second, ...last])).toEqual([40, 50, 60, 70])
  expect(batches).toEqual([
    [1, 2, 3],
    [4, 5, 6, 7],
  ])
})

test('with patience, one alone waits for nobody, nor do those who come while it is under way', async () => {
  const { ask, batches } = tenfold({ patienceMs: A_MINUTE })
  const first = ask(db, 1)
  await new Promise(setImmediate)
  const next = [2, 3].map((one) => ask(db, one))
  expect(await Promise.all([first, ...next])).toEqual([10, 20, 30])
  expect(batches).toEqual([[1], [2, 3]])
})

test('patience ends: who comes alone after many is answered all the same', async () => {
  const { ask, batches } = tenfold({ patienceMs: 1 })
  await Promise.all([1, 2, 3].map((one) => ask(db, one)))
  expect(await ask(db, 4)).toBe(40)
  expect(await ask(db, 5)).toBe(50)
  expect(batches).toEqual([[1, 2, 3], [4], [5]])
})

test('one that fails does not fail its neighbours', async () => {
  const { ask } = tenfold({ refused: 3 })
  const asked = [1, 2, 3, 4].map((one) => ask(db, one))
  const outcomes = await Promise.allSettled(asked)
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
})

test('what may have been committed before the connection broke is not done again', async () => {
  const batches: number[] = []
  const ask = grouped(async (_db, all: readonly number[]) => {
    batches.push(all.length)
    await sql`select 1`.execute(_db)
    if (all.length > 1) throw new Error('Connection terminated unexpectedly')
    return all
  })
  expect(await ask(db, 1)).toBe(1)
  const outcomes = await Promise.allSettled([2, 3].map((one) => ask(db, one)))
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(batches).toEqual([1, 2])
})

test('a deadlock is told as such, also where a statement behind it is heard of first', async () => {
  let tries = 0
  const late = async (asked: Promise<unknown>) => asked.then((answer) => answer).then((answer) => answer)
  await transaction(db, async (trx) => {
    tries += 1
    const code = tries === 1 ? '40P01' : '00000'
    const deadlock = sql`do ${sql.raw(`$$ begin if '${code}' <> '00000' then raise exception using errcode = '${code}'; end if; end $$`)}`
    await Promise.all([late(deadlock.execute(trx)), sql`select 1`.execute(trx)])
  })
  expect(tries).toBe(2)
})

test('no more than a hundred are done at once', async () => {
  const { ask, batches } = tenfold()
  await Promise.all(Array.from({ length: 250 }, (_, one) => ask(db, one)))
  expect(batches.map(({ length }) => length)).toEqual([100, 100, 50])
})

test('in a transaction it is part of it', async () => {
  const add = grouped(async (trx, keys: readonly string[]) => {
    for (const key of keys)
      await sql`insert into product (key, name, created_at) values (${key}, ${key}, now())`.execute(trx)
    return keys
  })
  const undone = transaction(db, async (trx) => {
    await Promise.all([add(trx, 'a'), add(trx, 'b')])
    throw new Error('no')
  })
  await expect(undone).rejects.toThrow('no')
  expect(await db.selectFrom('product').selectAll().execute()).toEqual([])
})
