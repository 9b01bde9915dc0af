import type { Interval } from '@lockstep/core/billing-cycle'
import type { Instant } from '@lockstep/core/instant'
import { type Currency, type Money, money } from '@lockstep/core/money'
import { earns, monthlyMoney, weightsOf } from '@lockstep/core/recurring-revenue'
import { isLive, type SubscriptionStatus, subscriptionStatuses } from '@lockstep/core/subscription'
import { collections } from '@lockstep/core/subscription-history'
import { type RawBuilder, sql } from 'kysely'
import type { Db } from '../postgres/connect.ts'
import { isOneOf } from '../postgres/given.ts'
import { type ProviderAccount, STRIPE } from './mappings.ts'
import { sqlTime } from './time.ts'

/** A moment of each customer's own time; `now` is where each of them stands. */
export type AsOf = Instant | 'now'

/** How many live subscriptions stand alike, and what they earn a month. */
export interface Standing {
  readonly plan: string
  readonly currency: Currency
  readonly status: SubscriptionStatus
  readonly subscriptions: bigint
  readonly ending: bigint
  readonly mrr: Weighted
}

/** A sum of fees times their weights; divided by the scale it is money of a month. Never rounded before. */
export type Weighted = bigint

/** What became of monthly revenue between two moments, customer by customer; each part is positive. */
export interface Movements {
  readonly currency: Currency
  readonly new: Weighted
  readonly reactivation: Weighted
  readonly expansion: Weighted
  readonly contraction: Weighted
  readonly churn: Weighted
}

export interface Revenue {
  readonly scale: bigint
  readonly weights: RawBuilder<unknown>
}

/** Whole weights for every rhythm that is sold, as a table to join. */
export async function readWeights(db: Db): Promise<Revenue> {
  const rhythms = await db
    .selectFrom('planVersion')
    .select(['interval', 'intervalCount'])
    .distinct()
    .execute()
  const { scale, weights } = weightsOf(rhythms as { interval: Interval; intervalCount: number }[])
  const none = { interval: 'month' as const, intervalCount: 0, weight: 0n }
  const rows = [none, ...weights].map(
    ({ interval, intervalCount, weight }) =>
      sql`(${interval}::text, ${intervalCount}::int, ${`${weight}`}::numeric)`,
  )
  return { scale, weights: sql`(values ${sql.join(rows)}) as weight (interval, interval_count, weight)` }
}

/** Live subscriptions by plan, currency and status. */
export async function readStandings(db: Db, { weights }: Revenue, at: AsOf): Promise<Standing[]> {
  const { rows } = await sql<Omit<Standing, 'mrr'> & { readonly mrr: string }>`
    select v.plan_key as plan, h.currency, h.status, count(*) as subscriptions,
           count(*) filter (where h.cancel_at is not null or h.cancel_at_period_end) as ending,
           coalesce(sum(h.fee * weight) filter (where ${isEarning}), 0)::text as mrr
      from subscription_history h join plan_version v on v.id = h.plan_version_id
      join ${weights} on weight.interval = v.interval and weight.interval_count = v.interval_count
     where ${holds(at)} and h.status in (${live})
     group by v.plan_key, h.currency, h.status order by v.plan_key, h.currency, h.status`.execute(db)
  return rows.map((row) => ({ ...row, mrr: BigInt(row.mrr) }))
}

/** Customers with a live subscription; one with two counts once. */
export async function countSubscribers(db: Db, at: AsOf): Promise<bigint> {
  const { rows } = await sql<{ readonly count: bigint }>`
    select count(distinct h.customer_id) as count from subscription_history h
     where ${holds(at)} and h.status in (${live})`.execute(db)
  return rows[0]?.count ?? 0n
}

/**
 * Trials that end within so many seconds. Of the past it is known how they ended; of one that still
 * runs, when it is to end.
 */
export async function countTrialsEnding(db: Db, at: AsOf, now: Instant, seconds: number): Promise<bigint> {
  const from = at === 'now' ? sql`coalesce(c.frozen_at, ${sqlTime(now)})` : sql`${sqlTime(at)}::timestamptz`
  const { rows } = await sql<{ readonly count: bigint }>`
    select count(*) as count
      from subscription_history h join subscription s on s.id = h.subscription_id
      join customer on customer.id = h.customer_id left join test_clock c on c.id = customer.test_clock_id
     where ${holds(at)} and h.status = 'trialing'
       and case when isfinite(h.ends_at) then h.ends_at else s.trial_end end <= ${from} + make_interval(secs => ${seconds})`.execute(
    db,
  )
  return rows[0]?.count ?? 0n
}

/**
 * Each customer's monthly revenue at `since` held against that at `at`. Who earned nothing at `since`
 * is new, or comes back if anything was earned of them before.
 */
export async function readMovements(
  db: Db,
  { weights }: Revenue,
  { since, at }: { readonly since: Instant; readonly at: AsOf },
): Promise<Movements[]> {
  const standing = (when: AsOf) => sql`
    select h.customer_id, h.currency, sum(h.fee * weight) as mrr
      from subscription_history h join plan_version v on v.id = h.plan_version_id
      join ${weights} on weight.interval = v.interval and weight.interval_count = v.interval_count
     where ${holds(when)} and ${isEarning} group by h.customer_id, h.currency`
  const { rows } = await sql<
    Record<Exclude<keyof Movements, 'currency'>, string> & { readonly currency: string }
  >`
    with change as (
      select currency, customer_id, coalesce(a.mrr, 0) as was, coalesce(b.mrr, 0) as becomes
        from (${standing(since)}) as a full join (${standing(at)}) as b using (customer_id, currency)
    ), told as (
      select change.*, becomes - was as difference, exists (
        select from subscription_history h where h.customer_id = change.customer_id and h.currency = change.currency
           and h.starts_at < ${sqlTime(since)} and h.ends_at > h.starts_at and h.fee > 0 and ${isEarning}) as earned_before
        from change where becomes <> was
    )
    select currency,
           coalesce(sum(difference) filter (where was = 0 and not earned_before), 0)::text as new,
           coalesce(sum(difference) filter (where was = 0 and earned_before), 0)::text as reactivation,
           coalesce(sum(difference) filter (where was > 0 and difference > 0), 0)::text as expansion,
           coalesce(sum(-difference) filter (where becomes > 0 and difference < 0), 0)::text as contraction,
           coalesce(sum(-difference) filter (where becomes = 0), 0)::text as churn
      from told group by currency order by currency`.execute(db)
  return rows.map(({ currency, ...parts }) => ({
    currency,
    new: BigInt(parts.new),
    reactivation: BigInt(parts.reactivation),
    expansion: BigInt(parts.expansion),
    contraction: BigInt(parts.contraction),
    churn: BigInt(parts.churn),
  }))
}

/** What one subscription earns a month here. */
export interface Earning {
  /** Ours. */
  readonly subscription: string
  readonly customer: string
  /** The provider's; null of one that is not linked. */
  readonly providerId: string | null
  readonly currency: Currency
  readonly mrr: Weighted
}

interface EarningRow extends Omit<Earning, 'mrr'> {
  readonly mrr: string
}

function toEarning({ subscription, customer, providerId, currency, mrr }: EarningRow): Earning {
  return { subscription, customer, providerId, currency, mrr: BigInt(mrr) }
}

/** What those subscriptions earn that are linked to these of the provider's. */
export async function readEarnings(
  db: Db,
  { weights }: Revenue,
  { account, livemode }: ProviderAccount,
  providerIds: readonly string[],
): Promise<Earning[]> {
  const { rows } = await sql<EarningRow>`
    select h.subscription_id as subscription, h.customer_id as customer, m.provider_id, h.currency,
           (case when ${isEarning} then h.fee * weight else 0 end)::text as mrr
      from mapping m join subscription_history h on h.subscription_id = m.entity_id
      join plan_version v on v.id = h.plan_version_id
      join ${weights} on weight.interval = v.interval and weight.interval_count = v.interval_count
     where m.entity_type = 'subscription' and m.provider = ${STRIPE} and m.provider_account = ${account}
       and m.livemode = ${livemode} and ${isOneOf('m.provider_id', providerIds)} and ${holds('now')}`.execute(
    db,
  )
  return rows.map(toEarning)
}

/**
 * Those that earn something here and of which the provider shows nothing: they are linked to nothing of its, or to what is
 * gone. `count`: how many there are.
 */
export async function readUnshownEarnings(
  db: Db,
  { weights }: Revenue,
  { account, livemode }: ProviderAccount,
  limit: number,
): Promise<{ readonly earnings: Earning[]; readonly count: number }> {
  const { rows } = await sql<EarningRow & { readonly count: number }>`
    select h.subscription_id as subscription, h.customer_id as customer, m.provider_id, h.currency,
           (h.fee * weight)::text as mrr, (count(*) over ())::int as count
      from subscription_history h join plan_version v on v.id = h.plan_version_id
      join ${weights} on weight.interval = v.interval and weight.interval_count = v.interval_count
      left join mapping m on m.entity_type = 'subscription' and m.entity_id = h.subscription_id
        and m.provider = ${STRIPE} and m.provider_account = ${account} and m.livemode = ${livemode}
     where ${holds('now')} and ${isEarning} and h.fee <> 0 and not exists (
       select from provider_object o
        where o.provider = ${STRIPE} and o.type = 'subscription' and o.id = m.provider_id and not o.gone)
     order by h.subscription_id limit ${limit}`.execute(db)
  return {
    earnings: rows.map(toEarning),
    count: rows[0]?.count ?? 0,
  }
}

/** Rounded once, after everything was added up. */
export function revenueOf(weighted: Weighted, { scale }: Revenue, currency: Currency): Money {
  return weighted === 0n ? money(0n, currency) : monthlyMoney(weighted, scale, currency)
}

/** The one stretch of a subscription that holds at a moment. */
function holds(at: AsOf): RawBuilder<boolean> {
  if (at === 'now') return sql<boolean>`h.ends_at = 'infinity'`
  return sql<boolean>`h.starts_at <= ${sqlTime(at)} and h.ends_at > ${sqlTime(at)}`
}

const live = sql.join(subscriptionStatuses.filter(isLive).map((status) => sql.lit(status)))

/** Made of core's rule. */
const isEarning = sql<boolean>`(h.status, h.collection) in (${sql.join(
  subscriptionStatuses.flatMap((status) =>
    collections
      .filter((collection) => earns(status, collection))
      .map((collection) => sql`(${sql.lit(status)}, ${sql.lit(collection)})`),
  ),
)})`
