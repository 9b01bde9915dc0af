import type { Instant } from '@lockstep/core/instant'
import { sql } from 'kysely'
import { newId } from '../ids.ts'
import type { Db, Trx } from '../postgres/connect.ts'
import type { Row } from './schema.ts'
import { sqlTime } from './time.ts'

export type Due = Row<'due'>

export interface NewDue extends Pick<Due, 'customerId' | 'kind' | 'subjectId' | 'dueAt'> {
  readonly at: Instant
}

/** When it is due: what was said first stands, however often it is said. */
export async function addDue(db: Db | Trx, { at, dueAt, ...due }: NewDue): Promise<Instant> {
  const row = await db
    .insertInto('due')
    .values({ ...due, id: newId('due'), dueAt: sqlTime(dueAt), createdAt: sqlTime(at) })
    .onConflict((on) => on.columns(['kind', 'subjectId']).doUpdateSet({ kind: due.kind }))
    .returning('dueAt')
    .executeTakeFirstOrThrow()
  return row.dueAt
}

export interface DueWanted {
  readonly now: Instant
  readonly limit: number
  readonly testClock?: string | undefined
  /** Goes on after this one. */
  readonly after?: Pick<Due, 'dueAt' | 'id'> | undefined
}

/** What is due and not settled, by each customer's own time, oldest first. */
export async function dueNow(db: Db, { now, limit, testClock, after }: DueWanted): Promise<Due[]> {
  let query = db
    .selectFrom('due')
    .innerJoin('customer', 'customer.id', 'due.customerId')
    .leftJoin('testClock', 'testClock.id', 'customer.testClockId')
    .selectAll('due')
    .where('due.settledAt', 'is', null)
    .where(sql<boolean>`due.due_at <= coalesce(test_clock.frozen_at, ${sqlTime(now)})`)
    .orderBy('due.dueAt')
    .orderBy('due.id')
    .limit(limit)
  if (after !== undefined)
    query = query.where(sql<boolean>`(due.due_at, due.id) > (${sqlTime(after.dueAt)}, ${after.id})`)
  if (testClock !== undefined) query = query.where('customer.testClockId', '=', testClock)
  return query.execute()
}

/** Says what was done about it. The first word stands. */
export async function settleDue(db: Db | Trx, id: string, outcome: string, at: Instant): Promise<void> {
  await db
    .updateTable('due')
    .set({ outcome, settledAt: sqlTime(at) })
    .where('id', '=', id)
    .where('settledAt', 'is', null)
    .execute()
}
