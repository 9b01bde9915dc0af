import { sql } from 'kysely'
import { afterAll, expect, test } from 'vitest'
import { newDatabase } from '../../../test/support/database.ts'
import { insertRows } from '../src/postgres/insert-rows.ts'
import { sqlTime } from '../src/store/time.ts'

const database = await newDatabase()
const { db } = database
afterAll(() => database.drop())

const columns = ['id', 'kind', 'subjectId', 'idempotencyKey', 'bodyHash', 'state', 'preparedAt'] as const
const insertOperations = insertRows('operation', [...columns, 'problem'], sql<{ id: string }>`returning id`)

test('any number of rows is written as it is given: bytes, JSON, times, what has a default', async () => {
  const operation = {
    kind: 'k',
    subjectId: 's',
    state: 'prepared',
    preparedAt: sqlTime(1_700_000_000),
  } as const
  const rows = [
    {
      ...operation,
      id: 'a',
      idempotencyKey: 'quote " \\ é',
      bodyHash: Buffer.from([0, 255, 10]),
      problem: { codes: ['x'] },
    },
    { ...operation, id: 'b', idempotencyKey: 'b', bodyHash: Buffer.alloc(0), problem: 'a string' },
    { ...operation, id: 'c', idempotencyKey: 'c', bodyHash: Buffer.alloc(1), problem: null },
  ]
  expect(await insertOperations(db, rows)).toEqual([{ id: 'a' }, { id: 'b' }, { id: 'c' }])
  const written = await db
    .selectFrom('operation')
    .select([...columns, 'problem', 'attempt'])
    .orderBy('id')
    .execute()
  expect(written).toEqual(rows.map((row) => ({ ...row, preparedAt: 1_700_000_000, attempt: 1 })))
})

test('no row is no row', async () => {
  expect(await insertOperations(db, [])).toEqual([])
})

test('what would be lost is refused', async () => {
  const insertProducts = insertRows('product', ['key', 'name', 'createdAt'])
  const product = { key: 'p', name: 'P', createdAt: sqlTime(0), archivedAt: sqlTime(1) }
  await expect(insertProducts(db, [product])).rejects.toThrow('Nobody writes archivedAt of product.')
})
