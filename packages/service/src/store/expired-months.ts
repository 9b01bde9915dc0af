import type { Instant } from '@lockstep/core/instant'
import type { Period } from '@lockstep/core/period'
import { sql } from 'kysely'
import type { Db, Trx } from '../postgres/connect.ts'
import { CORRECTING, MONTHS } from './month-locks.ts'
import { sqlTime } from './time.ts'

/**
 * Holds the events of a stretch of time until the transaction ends: whoever decides that they are not kept waits for
 * it. Answers the first month of which that is decided already.
 */
export async function holdMonths(trx: Trx, period: Period): Promise<Instant | undefined> {
  await sql`select pg_advisory_xact_lock_shared(${MONTHS}::int4, ${CORRECTING}::int4)`.execute(trx)
  const [month] = await expiredMonthsIn(trx, period)
  return month
}

/** The months that a stretch of time touches and whose events are no longer kept; oldest first. */
export async function expiredMonthsIn(db: Db | Trx, { start, end }: Period): Promise<Instant[]> {
  const { rows } = await sql<{ month: Instant }>`
    select month from usage_expired_month
    where month < ${sqlTime(end)} and month + interval '1 month' > ${sqlTime(start)} order by month`.execute(
    db,
  )
  return rows.map(({ month }) => month)
}
