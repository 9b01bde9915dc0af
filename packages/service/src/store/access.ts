import { type Access, accessByStatus, type Grace } from '@lockstep/core/access'
import type { Instant } from '@lockstep/core/instant'
import { type RawBuilder, sql } from 'kysely'
import type { Db, Trx } from '../postgres/connect.ts'
import type { SqlTime } from './time.ts'

/** How long overdue payments are let be. */
export async function readGrace(db: Db | Trx): Promise<Grace> {
  const row = await db.selectFrom('grace').select('days').executeTakeFirst()
  return { days: row?.days ?? null }
}

export async function writeGrace(trx: Trx, { days }: Grace): Promise<void> {
  await trx.deleteFrom('grace').execute()
  if (days !== null) await trx.insertInto('grace').values({ days }).execute()
}

interface AccessColumns {
  readonly status: RawBuilder<unknown>
  readonly pastDueSince: RawBuilder<unknown>
  /** A moment of the customer's own time. */
  readonly at: RawBuilder<unknown>
}

/**
 * What a customer may use, in SQL: `accessOf` word by word, made of the same table and the same rule, so
 * that a query can ask for it. A test holds both against each other.
 */
export function accessSql({ status, pastDueSince, at }: AccessColumns): RawBuilder<Access> {
  const cases = Object.entries(accessByStatus).map(([of, access]) =>
    access === 'grace'
      ? sql`when ${sql.lit(of)} then case when ${pastDueSince} + ${graceSql} <= ${at} then 'inactive' else 'grace' end`
      : sql`when ${sql.lit(of)} then ${sql.lit(access)}`,
  )
  return sql<Access>`case ${status} ${sql.join(cases, sql` `)} end`
}

/** Null, and so without an end, where the catalogue sets none. In seconds: a day of some zones is longer. */
const graceSql = sql`make_interval(secs => (select days from grace) * 86400)`

/** The customer's own time: its test clock's, or the wall's. Both tables have to be joined. */
export function ownTimeSql(now: SqlTime): RawBuilder<Instant> {
  return sql<Instant>`coalesce(test_clock.frozen_at, ${now})`
}
