import type { Instant } from '@lockstep/core/instant'
import type { Currency } from '@lockstep/core/money'
import { sql } from 'kysely'
import type { Db } from '../postgres/connect.ts'
import type { SyncProblem } from './invoices.ts'
import { sqlTime } from './time.ts'

/** How the invoices that are not final stand against what the provider was told. */
export interface SyncFigures {
  readonly open: number
  readonly stale: number
  readonly failing: number
  /** Of those that are stale, the one that was told longest ago; null if none is. */
  readonly oldestTold: Instant | null
  readonly lastSuccess: Instant | null
}

/** One row for whoever watches; reads what is open, not what is final. */
export async function syncFigures(db: Db): Promise<SyncFigures> {
  // One that was never told counts from its opening, which of a test clock is no time of the wall.
  const { rows } = await sql<Omit<SyncFigures, 'lastSuccess'>>`
    select count(*)::int4 as open,
           (count(*) filter (where dirty or sync_pending))::int4 as stale,
           (count(*) filter (where sync_problem is not null))::int4 as failing,
           min(coalesce(synced_at, case when test_clock_id is null then opened_at end))
             filter (where dirty or sync_pending) as oldest_told
    from invoice join customer on customer.id = invoice.customer_id
    where status in ('current', 'closing', 'draft')`.execute(db)
  const last = await db
    .selectFrom('invoice')
    .select((eb) => eb.fn.max('syncedAt').as('lastSuccess'))
    .executeTakeFirst()
  const [row] = rows
  if (!row) throw new Error('A query of counts answers one row.')
  return { ...row, lastSuccess: last?.lastSuccess ?? null }
}

export interface SyncFailure {
  readonly id: string
  readonly customerId: string
  readonly externalId: string
  readonly subscriptionId: string | null
  readonly syncProblem: SyncProblem
  readonly syncedAt: Instant | null
}

/** The newest invoice of each subscription whose last sync did not come to its end. */
export async function syncFailures(db: Db, limit: number): Promise<SyncFailure[]> {
  const { rows } = await sql<SyncFailure>`
    select * from (
      select distinct on (subscription_id) invoice.id, customer_id, external_id, subscription_id, sync_problem, synced_at
      from invoice join customer on customer.id = invoice.customer_id
      where status in ('current', 'closing', 'draft') and sync_problem is not null
      order by subscription_id, invoice.id desc
    ) as newest order by id desc limit ${limit}`.execute(db)
  return rows
}

export async function failuresByCode(db: Db): Promise<{ code: string; subscriptions: number }[]> {
  const { rows } = await sql<{ code: string; subscriptions: number }>`
    select sync_problem ->> 'code' as code, count(distinct subscription_id)::int4 as subscriptions
    from invoice where status in ('current', 'closing', 'draft') and sync_problem is not null
    group by 1 order by 1`.execute(db)
  return rows
}

/** What the final invoices of one currency come to, after discounts and with tax. */
export interface BilledTotals {
  readonly currency: Currency
  /** By what was last sent of our lines, less the discounts and with the tax on top: in the provider's unit. */
  readonly sent: bigint
  /** What the provider's own lines add to that, in ours. */
  readonly others: bigint
  /** What the provider says that they come to, in ours. */
  readonly billed: bigint
}

/**
 * Of the invoices that carry lines of ours and became final within the last `seconds`, what they come to by what was sent,
 * and what the provider says. They differ where somebody changed an item at the provider, or Stripe finalized while it
 * was being changed; what is left is on the next invoice. A customer on a test clock lives by that: the last seconds
 * are its own.
 */
export async function billedTotals(db: Db, { now, seconds }: Recently): Promise<BilledTotals[]> {
  const { rows } = await sql<BilledTotals>`
    with recent as (
      select invoice.* from invoice join customer on customer.id = customer_id
      where test_clock_id is null and finalized_at >= ${sqlTime(now - seconds)}
      union all
      select invoice.* from test_clock join customer on test_clock_id = test_clock.id
      join invoice on customer_id = customer.id and finalized_at >= frozen_at - make_interval(secs => ${seconds})
    )
    select currency, sum(ours - off + tax)::int8 as sent, sum(others)::int8 as others, sum(total)::int8 as billed
    from recent
    cross join lateral (
      select sum((content ->> 'amount')::numeric) as ours,
             coalesce(sum(line.amount) filter (where item.derivation is null), 0) as others
      from line_item line
      left join invoice_item item on item.origin_invoice_id = line.origin_invoice_id and item.line_key = line.line_key
        and item.revision = line.revision and item.derivation is not null
      where line.invoice_id = recent.id) lines
    cross join lateral (
      select coalesce(sum((one ->> 'amount')::numeric), 0) as off
      from jsonb_array_elements(provider_sums -> 'discounts') one) discounts
    cross join lateral (
      select coalesce(sum((one ->> 'amount')::numeric), 0) as tax
      from jsonb_array_elements(provider_sums -> 'taxes') one where not (one ->> 'inclusive')::boolean) taxes
    where provider_sums is not null and ours is not null
    group by 1 order by 1`.execute(db)
  return rows
}

interface Recently {
  /** By the wall. */
  readonly now: Instant
  readonly seconds: number
}

/** What stands at the provider by our calls and is not billed yet. */
export async function standingTotals(db: Db): Promise<{ currency: Currency; standing: bigint }[]> {
  const { rows } = await sql<{ currency: Currency; standing: bigint }>`
    select content ->> 'currency' as currency, sum(amount)::int8 as standing
    from invoice_item where state = 'placed' group by 1 order by 1`.execute(db)
  return rows
}
