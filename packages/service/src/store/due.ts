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

/** It is due by then already; what was due before, or is settled, is as it was. */
export async function hastenDue(
  trx: Trx,
  { kind, subjectId, dueAt }: Pick<Due, 'kind' | 'subjectId' | 'dueAt'>,
): Promise<void> {
  await trx
    .updateTable('due')
    .set({ dueAt: sqlTime(dueAt) })
    .where('kind', '=', kind)
    .where('subjectId', '=', subjectId)
    .where('settledAt', 'is', null)
    .where('dueAt', '>', sqlTime(dueAt))
    .execute()
}

/** It is due at a moment, whatever was said of it before, and whatever was done about it. */
export async function makeDue(trx: Trx, { at, dueAt, ...due }: NewDue): Promise<void> {
  await trx
    .insertInto('due')
    .values({ ...due, id: newId('due'), dueAt: sqlTime(dueAt), createdAt: sqlTime(at) })
    .onConflict((on) =>
      on.columns(['kind', 'subjectId']).doUpdateSet({
        ...{ dueAt: sqlTime(dueAt), attempts: 0, nextAttemptAt: null, clockStoodAt: null },
        ...{ outcome: null, settledAt: null },
      }),
    )
    .execute()
}

/** It is due later than it was, unless somebody said otherwise meanwhile. */
export async function putOffDue(
  db: Db,
  { id, dueAt }: Pick<Due, 'id' | 'dueAt'>,
  to: Instant,
): Promise<void> {
  await db
    .updateTable('due')
    .set({ dueAt: sqlTime(to) })
    .where('id', '=', id)
    .where('dueAt', '=', sqlTime(dueAt))
    .where('settledAt', 'is', null)
    .execute()
}

export interface DueWanted {
  readonly now: Instant
  readonly limit: number
  readonly testClock?: string | undefined
  /** Goes on after this one. */
  readonly after?: Pick<Due, 'dueAt' | 'id'> | undefined
}

/** With the time of the customer's test clock; null for who lives by the wall's. */
export type WaitingDue = Due & { readonly frozenAt: Instant | null }

/**
 * What is due and not settled, by each customer's own time, oldest first. What was tried waits for its pause to be over,
 * or for its clock to be turned; of one clock that is asked for, nothing waits.
 */
export async function dueNow(db: Db, { now, limit, testClock, after }: DueWanted): Promise<WaitingDue[]> {
  let query = db
    .selectFrom('due')
    .innerJoin('customer', 'customer.id', 'due.customerId')
    .leftJoin('testClock', 'testClock.id', 'customer.testClockId')
    .selectAll('due')
    .select('testClock.frozenAt')
    .where('due.settledAt', 'is', null)
    .where(sql<boolean>`due.due_at <= coalesce(test_clock.frozen_at, ${sqlTime(now)})`)
    .orderBy('due.dueAt')
    .orderBy('due.id')
    .limit(limit)
  if (after !== undefined)
    query = query.where(sql<boolean>`(due.due_at, due.id) > (${sqlTime(after.dueAt)}, ${after.id})`)
  query =
    testClock === undefined
      ? query.where(
          sql<boolean>`(due.next_attempt_at is null or due.next_attempt_at <= ${sqlTime(now)}
            or due.clock_stood_at is distinct from test_clock.frozen_at)`,
        )
      : query.where('customer.testClockId', '=', testClock)
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

/** It could not be done yet: it is tried again after a pause, which grows from 2 seconds to 10 minutes. */
export async function postponeDue(
  db: Db,
  { id, attempts, frozenAt }: WaitingDue,
  now: Instant,
): Promise<void> {
  const tries = attempts + 1
  const pause = Math.min(LONGEST_PAUSE_SECONDS, 2 ** Math.min(tries, 10))
  await db
    .updateTable('due')
    .set({
      attempts: tries,
      nextAttemptAt: sqlTime(now + pause),
      clockStoodAt: frozenAt === null ? null : sqlTime(frozenAt),
    })
    .where('id', '=', id)
    .where('settledAt', 'is', null)
    .execute()
}

const LONGEST_PAUSE_SECONDS = 600
