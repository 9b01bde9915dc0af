import { sql } from 'kysely'
import type { Db } from '../postgres/connect.ts'

/** Usage of one meter that belongs to no billing period of its customer. */
export interface UsageOutside {
  readonly meterKey: string
  readonly events: number
  readonly customers: number
}

/**
 * Usage that nobody will be billed for as things stand: from before a customer's first period, between
 * two subscriptions, after the last one, or of somebody who never had any. It reads the stretches between
 * a customer's periods only, where mostly there is nothing, and never what lies in one. Periods are whole
 * buckets, so a bucket is inside or outside, never both.
 */
export async function usageOutsidePeriods(db: Db): Promise<UsageOutside[]> {
  const { rows } = await sql<{ meterKey: string; events: bigint; customers: bigint }>`
    with gap as (
      select customer_id,
             max(period_end) over (partition by customer_id order by period_start, period_end) as start,
             lead(period_start, 1, 'infinity') over (partition by customer_id order by period_start, period_end) as end
      from invoice where plan_version_id is not null
      union all
      select customer.id, '-infinity', coalesce(first.period_start, 'infinity')
      from customer left join lateral (
        select min(period_start) as period_start from invoice
        where customer_id = customer.id and plan_version_id is not null
      ) first on true
    )
    select meter_key, sum(count)::int8 as events, count(distinct gap.customer_id) as customers
    from gap cross join lateral (
      select meter_key, count from usage_rollup
      where customer_id = gap.customer_id and bucket >= gap.start and bucket < gap.end
      offset 0
    ) outside
    where gap.start < gap.end
    group by meter_key order by meter_key`.execute(db)
  return rows.map(({ meterKey, events, customers }) => ({
    meterKey,
    events: Number(events),
    customers: Number(customers),
  }))
}
