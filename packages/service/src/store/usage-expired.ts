import type { Instant } from '@lockstep/core/instant'
import { sql } from 'kysely'
import type { Db } from '../postgres/connect.ts'
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
