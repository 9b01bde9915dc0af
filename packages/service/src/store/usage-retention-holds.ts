import type { Instant } from '@lockstep/core/instant'
import type { Period } from '@lockstep/core/period'
import type { RetentionHold } from '@lockstep/core/usage-retention'
import { sql } from 'kysely'
import type { Db, Trx } from '../postgres/connect.ts'
import { isCounted } from './counted-events.ts'
import { sqlTime } from './time.ts'

/** Why a month's events have to stay: for how many customers, and one of them. */
export interface Hold {
  readonly cause: RetentionHold
  readonly customers: number
  readonly example: string
}

interface HeldMonth {
  readonly month: Period
  readonly keepMonths: number
  /** Of customers without a test clock. */
  readonly now: Instant
}

/**
 * Whatever may still ask for the events of a month, by what is written down: for each customer with usage in it,
 * the clock that they live by, the periods that touch it, and what is still to be billed of these. An hour more on
 * either side, because a period is cut out of whole hours. Reads rollups by their key, never events.
 */
export async function holdsOf(db: Db | Trx, { month, keepMonths, now }: HeldMonth): Promise<Hold[]> {
  const [start, end] = [sqlTime(month.start), sqlTime(month.end)]
  const since = sql`date_trunc('month', now, 'UTC') - make_interval(months => ${keepMonths}::int4)`
  const { rows } = await sql<Hold>`
    with used as (
      select customer.id, coalesce(test_clock.frozen_at, ${sqlTime(now)}) as now
      from customer left join test_clock on test_clock.id = customer.test_clock_id
      where exists (
        select from usage_rollup where customer_id = customer.id and bucket >= ${start} and bucket < ${end}
      )
    ), touching as (
      select invoice.*, used.now from used join invoice on invoice.customer_id = used.id
      where plan_version_id is not null
        and period_start < ${end}::timestamptz + interval '1 hour' and period_end > ${start}::timestamptz - interval '1 hour'
    ), held as (
      select 'clock' as cause, id as customer_id from used where ${since} < ${end}
      union all
      select 'open', customer_id from touching where finalized_at is null
      union all
      select 'open', used.id from used join subscription on customer_id = used.id
      where ended_at is null and status not in ('canceled', 'incomplete_expired')
        and current_period_start < ${end}::timestamptz + interval '1 hour'
      union all
      select 'recent', customer_id from touching where finalized_at >= ${since}
      union all
      select 'pending', customer_id from touching
      where finalized_at is not null and (late_usage or sync_pending or exists (
        select from invoice_item
        where origin_invoice_id = touching.id and invoice_item.state in ('intended', 'placed')
      ))
    )
    select cause, count(distinct customer_id)::int4 as customers, min(customer_id) as example
    from held group by cause order by cause`.execute(db)
  return rows
}

/**
 * How many events a month has, and whether the rollups of anybody hold something else than they do. Reads all of
 * them: some seconds for each ten million.
 */
export async function weighMonth(
  db: Db,
  { start, end }: Period,
): Promise<{ readonly events: bigint; readonly drift: Hold | null }> {
  const within = (column: string) =>
    sql`${sql.ref(column)} >= ${sqlTime(start)} and ${sql.ref(column)} < ${sqlTime(end)}`
  const { rows } = await sql<{ events: bigint; customers: number; example: string | null }>`
    with kept as (
      select customer_id, meter_key, count(*) as events, count(*) filter (where is_counted) as count,
             sum(quantity) filter (where is_counted) as sum
      from (select *, ${isCounted('event')} as is_counted from usage_event as event where ${within('time')}) as event
      group by customer_id, meter_key
    ), rolled as (
      select customer.id as customer_id, rollup.* from customer cross join lateral (
        select meter_key, sum(count) as count, sum(sum) as sum from usage_rollup
        where customer_id = customer.id and ${within('bucket')} group by meter_key
      ) as rollup
    ), compared as (
      select customer_id, events, coalesce(kept.count, 0) is distinct from coalesce(rolled.count, 0)
        or kept.sum is distinct from rolled.sum as differs
      from kept full join rolled using (customer_id, meter_key)
    )
    select coalesce(sum(events), 0)::int8 as events,
           (count(distinct customer_id) filter (where differs))::int4 as customers,
           min(customer_id) filter (where differs) as example
    from compared`.execute(db)
  const { events = 0n, customers = 0, example = null } = rows[0] ?? {}
  return { events, drift: example === null ? null : { cause: 'drift', customers, example } }
}
