import { afterAll, beforeAll, expect, test } from 'vitest'
import { newDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { readinessOf } from '../src/readiness.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await newDatabase()
})
afterAll(() => database?.drop())

const change = (row: { name: string }) =>
  database.db
    .insertInto('schemaMigration')
    .values({ ...row, sha256: Buffer.alloc(32) } as never)
    .execute()

test('a process stays ready when a newer one has migrated, and not when its own migrations are missing', async () => {
  const readiness = readinessOf(database)
  expect(await readiness()).toMatchObject({ status: 'ready' })
  await change({ name: '9999_future.sql' })
  expect(await readiness()).toMatchObject({ status: 'ready' })

  const { name } = await database.db
    .selectFrom('schemaMigration')
    .select('name')
    .where('name', '<', '9999')
    .orderBy('name', 'desc')
    .executeTakeFirstOrThrow()
  await database.db.deleteFrom('schemaMigration').where('name', '=', name).execute()
  expect(await readiness()).toMatchObject({
    status: 'notReady',
    checks: [{ name: 'database' }, { name: 'migrations', detail: '1 migrations are still to be applied.' }],
  })
})
