import { sql } from 'kysely'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { newDatabase } from '../../../test/support/database.ts'
import type { Trx } from '../src/postgres/connect.ts'
import { forMany } from '../src/postgres/for-many.ts'
import { grouped } from '../src/postgres/grouped.ts'
import { lockRows } from '../src/postgres/lock-rows.ts'

const database = await newDatabase()
const { db } = database
afterAll(() => database.drop())
beforeEach(async () => {
  await sql`truncate product cascade`.execute(db)
})

const batches: string[][] = []
beforeEach(() => {
  batches.length = 0
})

const add = grouped(async (trx, keys: readonly string[]) => {
  batches.push([...keys])
  await sql`insert into product (key, name, created_at) select key, key, now() from unnest(${keys}::text[]) as key`.execute(
    trx,
  )
  return keys
})
const name = grouped(async (trx, keys: readonly string[]) => {
  batches.push([...keys])
  await sql`update product set name = upper(key) where key = any(${keys}::text[])`.execute(trx)
  return keys
})
const both = async (trx: Trx, key: string) => {
  await add(trx, key)
  await name(trx, key)
}

async function standing(): Promise<string[]> {
  const rows = await db.selectFrom('product').select('name').orderBy('name').execute()
  return rows.map((row) => row.name)
}

test('what each of many asks in one moment is one statement, in one transaction', async () => {
  expect(await forMany(db, ['a', 'b', 'c'], both)).toEqual([])
  expect(batches).toEqual([
    ['a', 'b', 'c'],
    ['a', 'b', 'c'],
  ])
  expect(await standing()).toEqual(['A', 'B', 'C'])
  const { rows } = await sql<{
    commits: number
  }>`select count(distinct xmin::text)::int as commits from product`.execute(db)
  expect(rows).toEqual([{ commits: 1 }])
})

test('one that refuses is left, and the others are done without it', async () => {
  const left = await forMany(db, ['a', 'b', 'c'], async (trx, key) => {
    await add(trx, key)
    if (key === 'b') throw new Error('not b')
    await name(trx, key)
  })
  expect(left).toEqual(['b'])
  expect(await standing()).toEqual(['A', 'C'])
})

test('where a statement fails for all of them, nothing stands and all are left', async () => {
  const taken = ['a', 'b', 'b', 'c']
  expect(await forMany(db, taken, both)).toEqual(taken)
  expect(await standing()).toEqual([])
})

test('one whose own statement fails does not blame the others, whose statements come behind it', async () => {
  const left = await forMany(db, ['a', 'b', 'c'], async (trx, key) => {
    if (key === 'b') await sql`select 1 / 0`.execute(trx)
    await both(trx, key)
  })
  expect(left).toEqual(['b'])
  expect(await standing()).toEqual(['A', 'C'])
})

test('of one alone nothing is shared: it is left', async () => {
  expect(await forMany(db, ['a'], both)).toEqual(['a'])
  expect(await standing()).toEqual([])
})

test('a deadlock is tried again and blames nobody', async () => {
  let tries = 0
  const left = await forMany(db, ['a', 'b'], async (trx, key) => {
    if (key === 'a') tries += 1
    if (key === 'a' && tries === 1)
      await sql`do $$ begin raise exception using errcode = '40P01'; end $$`.execute(trx)
    await both(trx, key)
  })
  expect([left, tries]).toEqual([[], 2])
  expect(await standing()).toEqual(['A', 'B'])
})

/** Nobody gives a lock back before it is over, however fast the machine is. */
const IMPATIENT = { lockTimeoutMs: 20 }
/** Whoever gives a lock back does so in time, however slow the machine is. */
const PATIENT = { lockTimeoutMs: 120_000 }

test('one that finds its row locked is left, and holds up the others no longer than a moment', async () => {
  await forMany(db, ['a', 'b', 'c'], (trx, key) => add(trx, key).then(() => {}))
  const holder = await db.startTransaction().execute()
  await sql`select from product where key = 'b' for update`.execute(holder)
  const rename = async (trx: Trx, key: string) => {
    await sql`update product set name = upper(key) where key = ${key}`.execute(trx)
  }
  const left = await forMany(db, ['a', 'b', 'c'], rename, IMPATIENT)
  await holder.rollback().execute()
  // Whoever stood behind it in the transaction is done in the second try.
  expect(left).toEqual(['b'])
  expect(await standing()).toEqual(['A', 'C', 'b'])
})

const lock = lockRows(
  (trx, keys) => {
    batches.push([...keys])
    return trx.selectFrom('product').selectAll().where('key', 'in', keys).orderBy('key')
  },
  ({ key }) => key,
)

test('of those who lock together only the one whose row is locked is left', async () => {
  await forMany(db, ['a', 'b', 'c'], (trx, key) => add(trx, key).then(() => {}))
  batches.length = 0
  const holder = await db.startTransaction().execute()
  await sql`select from product where key = 'b' for update`.execute(holder)
  const found = new Map<string, boolean>()
  // Of d there is none: that is no lock.
  const lockAndName = async (trx: Trx, key: string) => {
    const row = await lock(trx, key)
    found.set(key, row !== undefined)
    if (row) await name(trx, key)
  }
  const left = await forMany(db, ['a', 'b', 'c', 'd'], lockAndName, IMPATIENT)
  await holder.rollback().execute()
  expect(left).toEqual(['b'])
  expect(await standing()).toEqual(['A', 'C', 'b'])
  expect(Object.fromEntries(found)).toEqual({ a: true, c: true, d: false })
  // One that waits, one that finds out whose it is, one without it: however many there are.
  expect(batches.filter((keys) => keys.length === 4)).toHaveLength(2)
})

test('a lock that is given back in time is waited for, and nobody is left', async () => {
  await forMany(db, ['a', 'b', 'c'], (trx, key) => add(trx, key).then(() => {}))
  const holder = await db.startTransaction().execute()
  await sql`select from product where key = 'b' for update`.execute(holder)
  let tries = 0
  const waitAndName = async (trx: Trx, key: string) => {
    if (key === 'a') tries += 1
    // On another connection, while it is waited for.
    const release = key === 'a' && tries === 1 ? holder.rollback().execute() : undefined
    await Promise.all([lock(trx, key), release])
    await name(trx, key)
  }
  const left = await forMany(db, ['a', 'b', 'c'], waitAndName, PATIENT)
  expect([left, tries]).toEqual([[], 1])
  expect(await standing()).toEqual(['A', 'B', 'C'])
})
