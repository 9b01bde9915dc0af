import type { Instant } from '@lockstep/core/instant'
import { sql } from 'kysely'
import type { Db, Trx } from '../postgres/connect.ts'
import type { Row } from './schema.ts'
import { sqlTime } from './time.ts'

export type TestClock = Row<'testClock'>

export function readTestClock(db: Db | Trx, id: string): Promise<TestClock | undefined> {
  return db.selectFrom('testClock').selectAll().where('id', '=', id).executeTakeFirst()
}

/** Newest first. */
export function listTestClocks(
  db: Db,
  { limit, after }: { limit: number; after?: string | undefined },
): Promise<TestClock[]> {
  let query = db.selectFrom('testClock').selectAll()
  if (after !== undefined) query = query.where('id', '<', after)
  return query.orderBy('id', 'desc').limit(limit).execute()
}

export async function addTestClock(
  trx: Trx,
  { id, name, frozenAt, at }: { id: string; name: string | null; frozenAt: Instant; at: Instant },
): Promise<void> {
  await trx
    .insertInto('testClock')
    .values({ id, name, frozenAt: sqlTime(frozenAt), createdAt: sqlTime(at) })
    .execute()
}

export async function linkTestClock(db: Db | Trx, id: string, providerId: string): Promise<void> {
  await db.updateTable('testClock').set({ providerId }).where('id', '=', id).execute()
}

/** A clock that came to nothing at the provider. */
export async function removeTestClock(trx: Trx, id: string): Promise<void> {
  await trx.deleteFrom('testClock').where('id', '=', id).where('providerId', 'is', null).execute()
}

/** Sets the goal. False: the clock is on its way to another, or stands there or later already. */
export async function beginAdvance(trx: Trx, id: string, to: Instant): Promise<boolean> {
  const begun = await trx
    .updateTable('testClock')
    .set({ advancingTo: sqlTime(to) })
    .where('id', '=', id)
    .where('advancingTo', 'is', null)
    .where('frozenAt', '<', sqlTime(to))
    .executeTakeFirst()
  return begun.numUpdatedRows === 1n
}

/** The clock shows a later time. It never goes back. */
export async function moveTestClock(db: Db | Trx, id: string, frozenAt: Instant): Promise<void> {
  await db
    .updateTable('testClock')
    .set({ frozenAt: sqlTime(frozenAt) })
    .where('id', '=', id)
    .where('frozenAt', '<', sqlTime(frozenAt))
    .execute()
}

export async function endAdvance(db: Db | Trx, id: string, to: Instant): Promise<void> {
  await db
    .updateTable('testClock')
    .set({ advancingTo: null })
    .where('id', '=', id)
    .where('advancingTo', '=', sqlTime(to))
    .execute()
}

export interface ClockCustomer {
  readonly id: string
  readonly providerId: string | null
}

export async function customersOnClock(db: Db, testClockId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('customer')
    .select('id')
    .where('testClockId', '=', testClockId)
    .orderBy('id')
    .execute()
  return rows.map(({ id }) => id)
}

/**
 * The next moment after `after` at which something is due on a clock: a period or trial ends, a draft
 * is finalized, something of ours is due. Null: nothing is.
 */
export async function nextDue(db: Db, testClockId: string, after: Instant): Promise<Instant | null> {
  const { rows } = await sql<{ due: Instant | null }>`
    select min(at) as due from (
      select unnest(array[s.current_period_end, s.trial_end, s.cancel_at]) as at
      from subscription s join customer c on c.id = s.customer_id
      where c.test_clock_id = ${testClockId} and s.status not in ('canceled', 'incomplete_expired')
      union all
      select i.finalizes_at from invoice i join customer c on c.id = i.customer_id
      where c.test_clock_id = ${testClockId} and i.status in ('closing', 'draft')
      union all
      select d.due_at from due d join customer c on c.id = d.customer_id
      where c.test_clock_id = ${testClockId} and d.settled_at is null
    ) due where at > ${sqlTime(after)}`.execute(db)
  return rows[0]?.due ?? null
}

/** The subscriptions of a clock that have something to tell the provider. */
export async function clockSubscriptions(db: Db, testClockId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('subscription')
    .innerJoin('customer', 'customer.id', 'subscription.customerId')
    .select('subscription.id')
    .where('customer.testClockId', '=', testClockId)
    .orderBy('subscription.id')
    .execute()
  return rows.map(({ id }) => id)
}

/** The latest time at which any customer on a test clock lives; null without such clocks. */
export async function latestTestTime(db: Db): Promise<Instant | null> {
  const row = await db
    .selectFrom('testClock')
    .select((eb) => eb.fn.max('frozenAt').as('latest'))
    .executeTakeFirst()
  return row?.latest ?? null
}
