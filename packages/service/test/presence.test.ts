import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { newId } from '../src/ids.ts'
import { isGone, newHolder } from '../src/postgres/presence.ts'
import { addWorkflow, dueWorkflows } from '../src/store/workflows.ts'
import { WATCH_MS } from '../src/workflow/workflows.ts'

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

describe('a workflow of a process that is no more is gone on with', () => {
  async function leasedTo(holder: string): Promise<string> {
    const id = newId('workflow')
    await database.db
      .transaction()
      .execute((trx) => addWorkflow(trx, { id, kind: 'test', subjectId: id, input: {}, holder, at: 0 }))
    return id
  }
  const due = () => dueWorkflows(database.db, ['test'], 100)

  test('at once, where it died', async () => {
    const id = await leasedTo('process_that_died/some-work')
    expect(await due()).toContain(id)
  })

  test('within ten seconds, where its host vanished and its sessions are still there', async () => {
    const id = await leasedTo(newHolder())
    expect(await due()).not.toContain(id)
    const { rows } = await database.pool.query<{ left: number }>(
      'select extract(epoch from lease_until - clock_timestamp())::float8 as left from workflow where id = $1',
      [id],
    )
    // Then whoever looks next finds it.
    expect(Number(rows[0]?.left) + WATCH_MS / 1000).toBeLessThan(10)
    await database.pool.query('update workflow set lease_until = clock_timestamp() where id = $1', [id])
    expect(await due()).toContain(id)
  })
})
