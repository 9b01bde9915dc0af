import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { newDatabase } from '../../../test/support/database.ts'
import type { Db, Trx } from '../src/postgres/connect.ts'
import { inOnePacket } from '../src/postgres/packet.ts'

const database = await newDatabase()
const { db } = database
afterAll(() => database.drop())

beforeAll(async () => {
  await sql`create table pair (id int primary key, says text, next int)`.execute(db)
})
beforeEach(async () => {
  await sql`truncate pair`.execute(db)
  await sql`insert into pair values (1, 'one', 2), (2, 'two', 3), (3, 'three', null)`.execute(db)
})

interface Pair {
  readonly says: string
  readonly next: number | null
}

const read = async (db: Db | Trx, id: number | null) =>
  (await sql<Pair>`select says, next from pair where id = ${id}::int4`.execute(db)).rows[0]

/** Of a first round, and of a second one that goes by it; in between what `meanwhile` does is committed. */
const twoRounds = (name: string, meanwhile = async () => {}) =>
  inOnePacket(
    db,
    async (db) => {
      const first = await read(db, 1)
      await meanwhile()
      return [first?.says, (await read(db, first?.next ?? null))?.says]
    },
    { name },
  )

const says = (id: number, text: string) => async () =>
  void (await sql`update pair set says = ${text} where id = ${id}`.execute(db))

test('what goes by a first answer is asked with it from the second time on, and sees the same moment', async () => {
  expect(await twoRounds('again', says(2, 'second'))).toEqual(['one', 'second'])
  expect(await twoRounds('again', says(2, 'third'))).toEqual(['one', 'second'])
  expect(await twoRounds('again')).toEqual(['one', 'third'])
  expect(await twoRounds('another', says(2, 'fourth'))).toEqual(['one', 'fourth'])
})

test('what goes by another answer than the last time is asked when that is known', async () => {
  await twoRounds('moved')
  await sql`update pair set next = 3 where id = 1`.execute(db)
  expect(await twoRounds('moved', says(3, 'now three'))).toEqual(['one', 'now three'])
  expect(await twoRounds('moved', says(3, 'too late'))).toEqual(['one', 'now three'])
})

test('who asks twice is answered twice', async () => {
  const ask = () =>
    inOnePacket(
      db,
      async (db) => {
        await read(db, 1)
        const second = await read(db, 2)
        const once = second?.says
        return [once, (await read(db, 2))?.says]
      },
      { name: 'twice' },
    )
  expect(await ask()).toEqual(['two', 'two'])
  // Both are asked ahead by now, and what is said meanwhile is heard the next time.
  await says(2, 'deux')()
  expect(await ask()).toEqual(['deux', 'deux'])
  await says(2, 'zwei')()
  expect(await ask()).toEqual(['zwei', 'zwei'])
})

test('what fails fails for who asks it, and for nobody else', async () => {
  const ask = (isWanted: boolean) =>
    inOnePacket(
      db,
      async (db) => {
        const first = await read(db, 1)
        if (isWanted) await sql`select 1 / (${first?.next}::int4 - 2)`.execute(db)
        return first?.says
      },
      { name: 'fails' },
    )
  await expect(ask(true)).rejects.toThrow('division by zero')
  expect(await ask(false)).toBe('one')
  expect(await ask(false)).toBe('one')
  await expect(ask(true)).rejects.toThrow('division by zero')
  await expect(ask(true)).rejects.toThrow('division by zero')
})
