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

/** Of the items of one currency, in the provider's minor unit what we sent and in ours what it billed. */
export interface BilledTotals {
  readonly currency: Currency
  readonly sent: bigint
  readonly billed: bigint
}

/**
 * What was last sent of the items on invoices that were finalized since, and what these say. They differ
 * where somebody changed an item at the provider, or Stripe finalized while it was being changed; what is
 * left is on the next invoice.
 */
export async function billedTotals(db: Db, since: Instant): Promise<BilledTotals[]> {
  const { rows } = await sql<BilledTotals>`
    select invoice.currency, sum((content ->> 'amount')::numeric)::int8 as sent, sum(amount)::int8 as billed
    from invoice join invoice_item item on item.provider_invoice_id = invoice.provider_invoice_id
    where invoice.finalized_at >= ${sqlTime(since)} and item.state = 'billed' and item.derivation is not null
    group by 1 order by 1`.execute(db)
  return rows
}

/** What stands at the provider by our calls and is not billed yet. */
export async function standingTotals(db: Db): Promise<{ currency: Currency; standing: bigint }[]> {
  const { rows } = await sql<{ currency: Currency; standing: bigint }>`
    select content ->> 'currency' as currency, sum(amount)::int8 as standing
    from invoice_item where state = 'placed' group by 1 order by 1`.execute(db)
  return rows
}
