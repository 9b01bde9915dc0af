import { sql } from 'kysely'
import { afterAll, expect, test } from 'vitest'
import { newDatabase } from '../../../test/support/database.ts'
import { transaction } from '../src/postgres/transaction.ts'

const database = await newDatabase()
const { db } = database
afterAll(() => database.drop())

test('what a transaction asks together is done in the order in which it was asked', async () => {
  await sql`create table line (id bigint generated always as identity, name text)`.execute(db)
  const add = (trx: typeof db, name: string) => sql`insert into line (name) values (${name})`.execute(trx)
  await transaction(db, async (trx) => {
    await Promise.all([
      add(trx, 'a'),
      trx
        .insertInto('product')
        .values({ key: 'b', name: 'b', createdAt: new Date() as never })
        .execute(),
      sql`insert into line (name) select key from product`.execute(trx),
      add(trx, 'c'),
    ])
  })
  const { rows } = await sql<{ name: string }>`select name from line order by id`.execute(db)
  expect(rows.map(({ name }) => name)).toEqual(['a', 'b', 'c'])
})

test('of statements asked together the first that fails is told, and nothing is left behind', async () => {
  const add = (trx: typeof db, key: string) =>
    sql`insert into product (key, name, created_at) values (${key}, ${key}, now())`.execute(trx)
  const twice = transaction(db, async (trx) => {
    await Promise.all([add(trx, 'x'), add(trx, 'x'), add(trx, 'y')])
  })
  await expect(twice).rejects.toMatchObject({ code: '23505' })
  const found = await db.selectFrom('product').select('key').where('key', 'in', ['x', 'y']).execute()
  expect(found).toEqual([])
})

test('who goes on after another has failed writes nothing any more', async () => {
  const add = (trx: typeof db, key: string) =>
    sql`insert into product (key, name, created_at) values (${key}, ${key}, now())`.execute(trx)
  let goingOn: Promise<unknown> = Promise.resolve()
  const failing = transaction(db, async (trx) => {
    goingOn = add(trx, 'first')
      .then(() => new Promise((resolve) => setImmediate(resolve)))
      .then(() => add(trx, 'late'))
    await Promise.all([goingOn, sql`select 1 / 0`.execute(trx)])
  })
  await expect(failing).rejects.toMatchObject({ code: '22012' })
  await expect(goingOn).rejects.toThrow()
  const found = await db.selectFrom('product').select('key').where('key', 'in', ['first', 'late']).execute()
  expect(found).toEqual([])
})

test('a column that a newer version adds meanwhile disturbs nobody, in a transaction or outside', async () => {
  await sql`create table noun (id int)`.execute(db)
  await sql`insert into noun values (1)`.execute(db)
  const read = (at: typeof db) => sql`select * from noun where id = ${1}`.execute(at)
  const together = () => Promise.all(Array.from({ length: 10 }, () => read(db)))
  const expected = async (row: object) => {
    for (const { rows } of await together()) expect(rows).toEqual([row])
    expect((await transaction(db, (trx) => read(trx))).rows).toEqual([row])
  }
  await expected({ id: 1 })
  await sql`alter table noun add column name text`.execute(db)
  expect((await transaction(db, (trx) => read(trx))).rows).toEqual([{ id: 1, name: null }])
  await sql`alter table noun add column other text`.execute(db)
  await expected({ id: 1, name: null, other: null })
})

test('a statement is planned once for a connection', async () => {
  await transaction(db, async (trx) => {
    for (let i = 0; i < 3; i += 1) await sql`select key from product where key = ${'none'}`.execute(trx)
    const { rows } = await sql<{ count: string }>`
      select count(*)::int as count from pg_prepared_statements
      where statement = 'select key from product where key = $1'`.execute(trx)
    expect(rows).toEqual([{ count: 1 }])
  })
})
