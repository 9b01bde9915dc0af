import { type CompiledQuery, sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { newDatabase } from '../../../test/support/database.ts'
import { askAhead } from '../src/postgres/ask-ahead.ts'
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

/**
 * What is said of a first round and of a second one that goes by it, and in which order it is asked and answered. What Postgres does
 * between two statements of a packet is its own: only that they went out together can be told.
 */
const twoRounds = (name: string) =>
  db.getExecutor().provideConnection(async (connection) => {
    const order: string[] = []
    const { connection: asking, end } = askAhead(
      {
        executeQuery: async <R>(query: CompiledQuery) => {
          order.push(`asks ${query.parameters[0]}`)
          const answer = await connection.executeQuery<R>(query)
          order.push(`hears ${query.parameters[0]}`)
          return answer
        },
        streamQuery: (...args) => connection.streamQuery(...args),
      },
      name,
    )
    const read = async (id: number | null) =>
      (await asking.executeQuery<Pair>(sql`select says, next from pair where id = ${id}::int4`.compile(db)))
        .rows[0]
    const first = await read(1)
    const second = await read(first?.next ?? null)
    await end()
    return { says: [first?.says, second?.says], order: order.join(', ') }
  })

const says = (id: number, text: string) => sql`update pair set says = ${text} where id = ${id}`.execute(db)

test('what goes by a first answer is asked with it from the second time on', async () => {
  const oneByOne = 'asks 1, hears 1, asks 2, hears 2'
  const together = 'asks 1, asks 2, hears 1, hears 2'
  expect(await twoRounds('again')).toEqual({ says: ['one', 'two'], order: oneByOne })
  expect(await twoRounds('again')).toEqual({ says: ['one', 'two'], order: together })
  await says(2, 'deux')
  expect(await twoRounds('again')).toEqual({ says: ['one', 'deux'], order: together })
  expect(await twoRounds('another')).toEqual({ says: ['one', 'deux'], order: oneByOne })
})

test('what goes by another answer than the last time is asked when that is known', async () => {
  await twoRounds('moved')
  await sql`update pair set next = 3 where id = 1`.execute(db)
  const moved = await twoRounds('moved')
  expect(moved.says).toEqual(['one', 'three'])
  // The second, asked ahead and wanted by nobody, is heard at any time.
  expect(moved.order).toMatch(/^asks 1, asks 2, hears 1, .*asks 3, .*hears 3$/)
  expect(await twoRounds('moved')).toEqual({
    says: ['one', 'three'],
    order: 'asks 1, asks 3, hears 1, hears 3',
  })
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
  await says(2, 'deux')
  expect(await ask()).toEqual(['deux', 'deux'])
  await says(2, 'zwei')
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
