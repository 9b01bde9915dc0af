import type { Access } from '@lockstep/core/access'
import type { GrantedBy } from '@lockstep/core/entitlement'
import { type Feature, type GrantJson, grantFromJson, plus, times } from '@lockstep/core/feature'
import type { Instant } from '@lockstep/core/instant'
import { type Aggregation, measure, noUsage } from '@lockstep/core/meter'
import { quantityOf } from '@lockstep/core/quantity'
import type { SubscriptionStatus } from '@lockstep/core/subscription'
import { sql } from 'kysely'
import type { Db, Trx } from '../postgres/connect.ts'
import { accessSql, ownTimeSql } from './access.ts'
import { sqlTime } from './time.ts'

/** A feature with the live subscriptions of a customer that grant it. */
export interface FeatureGrants {
  readonly customerId: string
  readonly hasSubscription: boolean
  readonly feature: Feature
  readonly grantedBy: readonly GrantedBy[]
}

interface Read extends Omit<Feature, 'meter'> {
  readonly customerId: string
  readonly hasSubscription: boolean
  readonly meterKey: string | null
  readonly aggregation: Aggregation | null
  readonly subscriptionId: string | null
  readonly status: SubscriptionStatus
  readonly access: Access
  readonly planKey: string
  readonly version: number
  readonly periodStart: Instant
  readonly periodEnd: Instant
  readonly given: GrantJson
  /** The add-on that gives it, and how many pieces there are of it; null where the plan does. */
  readonly addonKey: string | null
  readonly pieces: number | null
  readonly count: bigint | null
  readonly sum: string
  readonly max: string
  readonly last: string
}

/**
 * What is granted to a customer, by our id or the application's, in one read: features, the plan
 * versions of live subscriptions, and usage of their current periods: of a month, where usage is billed by it. Empty if there is no such
 * customer or feature. Archived features are in it only where a plan still grants them.
 */
export async function readGrants(
  db: Db | Trx,
  {
    customer,
    feature,
    now,
  }: {
    readonly customer: string
    readonly feature?: string | undefined
    /** Of the wall; a customer on a test clock has its own. */
    readonly now: Instant
  },
): Promise<FeatureGrants[]> {
  const { rows } = await sql<Read>`
    with payer as (
      select id, test_clock_id from customer where id = ${customer}
      union all
      select id, test_clock_id from customer where external_id = ${customer}
        and not exists (select from customer where id = ${customer})
    ), live as (
      select * from (
        select s.*, v.plan_key, v.version, v.grants,
               coalesce(usage.period_start, s.current_period_start) as usage_start,
               coalesce(usage.period_end, s.current_period_end) as usage_end,
               ${accessSql({ status: sql`s.status`, pastDueSince: sql`s.past_due_since`, at: ownTimeSql(sqlTime(now)) })} as access
          from payer join subscription s on s.customer_id = payer.id
          join plan_version v on v.id = s.plan_version_id
          left join test_clock on test_clock.id = payer.test_clock_id
          left join lateral (
            select period_start, period_end from invoice
             where subscription_id = s.id and plan_version_id is not null order by period_start desc limit 1
          ) as usage on v.usage_interval is not null
      ) as every where access <> 'ended'
    ), granted as (
      select live.*, given, null as addon_key, null::int4 as pieces
        from live cross join lateral jsonb_array_elements(live.grants) as given
      union all
      select live.*, given, a.addon_key, attached.quantity
        from live
        cross join lateral jsonb_to_recordset(live.addons) as attached (addon text, version int4, quantity int4)
        join addon_version a on a.addon_key = attached.addon and a.version = attached.version
        cross join lateral jsonb_array_elements(a.grants) as given
    )
    select payer.id as customer_id, exists (select from live) as has_subscription,
           f.key, f.name, f.kind, f.meter_key, f.unit_label, m.aggregation,
           g.id as subscription_id, g.status, g.access, g.plan_key, g.version,
           g.usage_start as period_start, g.usage_end as period_end, g.given, g.addon_key, g.pieces,
           used.count, used.sum, used.max, used.last
      from payer cross join feature f
      left join meter m on m.key = f.meter_key
      left join granted g on g.given ->> 'feature' = f.key
      left join lateral (
        select sum(r.count)::int8 as count, sum(r.sum) as sum, max(r.max) as max,
               (array_agg(r.last order by r.bucket desc))[1] as last
          from usage_rollup r
         where r.customer_id = payer.id and r.meter_key = f.meter_key
           and r.bucket >= g.usage_start and r.bucket < g.usage_end
      ) as used on f.meter_key is not null
     where (f.archived_at is null or g.id is not null)
       and (${feature ?? null}::text is null or f.key = ${feature ?? null})
     order by f.key, g.id, g.addon_key nulls first`.execute(db)

  const features = new Map<string, FeatureGrants & { readonly grantedBy: GrantedBy[] }>()
  for (const row of rows) {
    const { customerId, hasSubscription, key, name, kind, meterKey, unitLabel } = row
    const found = features.get(key) ?? {
      ...{ customerId, hasSubscription },
      feature: { key, name, kind, meter: meterKey, unitLabel },
      grantedBy: [],
    }
    if (row.subscriptionId !== null) addGrant(found.grantedBy, row, row.subscriptionId)
    features.set(key, found)
  }
  return [...features.values()]
}

/** What a subscription gives of a feature is what its plan and its add-ons give together. */
function addGrant(list: GrantedBy[], row: Read, subscription: string): void {
  const by = grantedBy(row, subscription)
  const at = list.findIndex((one) => one.subscription === subscription)
  const before = list[at]
  if (!before) list.push(by)
  else list[at] = { ...before, addons: [...before.addons, ...by.addons], grant: plus(before.grant, by.grant) }
}

function grantedBy(row: Read, subscription: string): GrantedBy {
  const { status, access, planKey, version, periodStart, periodEnd, aggregation, count } = row
  const totals =
    count === null
      ? noUsage
      : { count, sum: quantityOf(row.sum), max: quantityOf(row.max), last: quantityOf(row.last) }
  return {
    ...{ subscription, status, access, plan: planKey, planVersion: version },
    period: { start: periodStart, end: periodEnd },
    addons: row.addonKey === null ? [] : [row.addonKey],
    grant: times(grantFromJson(row.given), row.pieces ?? 1),
    used: aggregation === null ? 0n : measure({ aggregation }, totals),
  }
}
