import type pg from 'pg'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { newDatabase } from '../../../test/support/database.ts'
import { Client } from '../src/postgres/client.ts'

const database = await newDatabase()
afterAll(() => database.drop())

const client: pg.Client = new Client({ connectionString: database.url, pipeline: true } as pg.ClientConfig)
beforeAll(async () => {
  await client.connect()
  await client.query('create table thing (id int primary key, name text)')
})
afterAll(() => client.end())

const rowsOf = async (text: string, values: unknown[] = []) => (await client.query(text, values)).rows

test('Postgres is asked once for the columns, and every answer has them', async () => {
  const describe = vi.spyOn(client.connection, 'describe')
  const text = 'select $1::int as number, $2::text as word, null::text as nothing'
  expect(await rowsOf(text, [1, 'one'])).toEqual([{ number: 1, word: 'one', nothing: null }])
  expect(await Promise.all([rowsOf(text, [2, 'two']), rowsOf(text, [3, null])])).toEqual([
    [{ number: 2, word: 'two', nothing: null }],
    [{ number: 3, word: null, nothing: null }],
  ])
  expect(describe).toHaveBeenCalledTimes(1)
  describe.mockRestore()
})

test('before the first answer is there, each of many asks, and all are answered', async () => {
  const text = 'select $1::int * 2 as twice'
  const answers = await Promise.all([1, 2, 3].map((number) => rowsOf(text, [number])))
  expect(answers).toEqual([[{ twice: 2 }], [{ twice: 4 }], [{ twice: 6 }]])
})

test('what answers no rows says how many it wrote, each time', async () => {
  const insert = (id: number) => client.query('insert into thing (id) values ($1)', [id])
  expect(
    [await insert(1), await insert(2)].map(({ command, rowCount, rows }) => ({ command, rowCount, rows })),
  ).toEqual([
    { command: 'INSERT', rowCount: 1, rows: [] },
    { command: 'INSERT', rowCount: 1, rows: [] },
  ])
})

test('after an error the next one is answered', async () => {
  const text = 'select 6 / $1::int as quotient'
  expect(await rowsOf(text, [2])).toEqual([{ quotient: 3 }])
  const [failed, next] = await Promise.allSettled([rowsOf(text, [0]), rowsOf(text, [3])])
  expect(failed).toMatchObject({ status: 'rejected', reason: { code: '22012' } })
  expect(next).toEqual({ status: 'fulfilled', value: [{ quotient: 2 }] })
})

test('a parameter that cannot be written fails alone', async () => {
  const text = 'select $1::text as word'
  const unwritable = {
    toPostgres: () => {
      throw new Error('unwritable')
    },
  }
  expect(await rowsOf(text, ['a'])).toEqual([{ word: 'a' }])
  const [failed, next] = await Promise.allSettled([rowsOf(text, [unwritable]), rowsOf(text, ['b'])])
  expect(failed).toMatchObject({ status: 'rejected', reason: { message: 'unwritable' } })
  expect(next).toEqual({ status: 'fulfilled', value: [{ word: 'b' }] })
})

test('a table that has changed meanwhile is answered as it is now', async () => {
  const text = 'select * from thing where id = $1'
  expect(await rowsOf(text, [1])).toEqual([{ id: 1, name: null }])
  expect(await rowsOf(text, [1])).toEqual([{ id: 1, name: null }])
  await client.query('alter table thing add column colour text default $$red$$')
  expect(await rowsOf(text, [1])).toEqual([{ id: 1, name: null, colour: 'red' }])
  expect(await rowsOf(text, [1])).toEqual([{ id: 1, name: null, colour: 'red' }])
})
