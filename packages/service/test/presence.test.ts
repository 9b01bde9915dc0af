import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { isGone, newHolder } from '../src/postgres/presence.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await newDatabase()
})
afterAll(() => database?.drop())

const gone = async (holder: string) => {
  const { rows } = await sql<{ gone: boolean }>`select ${isGone(sql.lit(holder))} as gone`.execute(
    database.db,
  )
  return rows[0]?.gone
}

test('what this process holds is held, and what a dead process held is free at once', async () => {
  expect(await gone(newHolder())).toBe(false)
  expect(await gone('process_that_died/some-work')).toBe(true)
})
