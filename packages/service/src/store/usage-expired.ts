import type { Instant } from '@lockstep/core/instant'
import type { Period } from '@lockstep/core/period'
import { sql } from 'kysely'
import type { Db, Trx } from '../postgres/connect.ts'
import { CORRECTING, MONTHS } from './month-locks.ts'
import { sqlTime } from './time.ts'
import { bucketsOf, type EventQuery } from './usage-events.ts'

/** Events that count in a month and can no longer be shown. */
export interface ExpiredEvents {
  /** The month's first moment. */
  readonly month: Instant
  readonly events: bigint
}

/** Of the events that a quantity is made of, those that are no longer kept, by month. */
export async function expiredEvents(
  db: Db,
  query: Pick<EventQuery, 'customerId' | 'meterKey' | 'period' | 'groups'>,
): Promise<ExpiredEvents[]> {
  const { rows } = await sql<ExpiredEvents>`
    select month, sum(count)::int8 as events
    from usage_expired_month join ${bucketsOf(query)} as rollup
      on bucket >= month and bucket < month + interval '1 month'
    where bucket >= ${sqlTime(query.period.start)} and bucket < ${sqlTime(query.period.end)}
    group by month order by month`.execute(db)
  return rows
}

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
