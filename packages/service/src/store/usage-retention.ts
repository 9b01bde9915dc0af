import type { Instant } from '@lockstep/core/instant'
import { sql } from 'kysely'
import type { Db, Trx } from '../postgres/connect.ts'
import { isCounted } from './counted-events.ts'
import type { Row } from './schema.ts'
import { sqlTime } from './time.ts'

/** How a month's table stands: `detaching` is one whose detaching was cut off, `gone` has none. */
type Standing = 'attached' | 'detaching' | 'detached' | 'gone'

export async function standingOf(db: Db | Trx, table: string): Promise<Standing> {
  const { rows } = await sql<{ standing: Standing }>`
    select case when to_regclass(${table}) is null then 'gone'
                when inhdetachpending then 'detaching'
                when inhrelid is not null then 'attached'
                else 'detached' end as standing
    from (select) as nothing left join pg_inherits on inhrelid = to_regclass(${table})`.execute(db)
  return rows[0]?.standing ?? 'gone'
}

/** Months that end at `since` or before, and whose events are kept; oldest first. */
export async function keptMonths(db: Db, since: Instant): Promise<Instant[]> {
  const { rows } = await sql<{ month: Instant }>`
    select month from (
      select make_timestamptz(substr(relname, 13, 4)::int4, right(relname, 2)::int4, 1, 0, 0, 0, 'UTC') as month
      from pg_inherits join pg_class on oid = inhrelid
      where inhparent = 'usage_event'::regclass and relname ~ '^usage_event_[0-9]{4}_[0-9]{2}$'
    ) as kept
    where month < ${sqlTime(since)} and not exists (select from usage_expired_month as known where known.month = kept.month)
    order by month`.execute(db)
  return rows.map(({ month }) => month)
}

/** Months that were expired and are not gone yet, or again have a table: an older version made it. Oldest first. */
export async function unfinishedMonths(db: Db): Promise<Instant[]> {
  const { rows } = await sql<{ month: Instant }>`
    select month from usage_expired_month
    where state = 'expiring' or to_regclass('usage_event_' || to_char(month at time zone 'UTC', 'YYYY_MM')) is not null
    order by month`.execute(db)
  return rows.map(({ month }) => month)
}

type ExpiredMonth = Row<'usageExpiredMonth'>

/** From when this is committed on no event of that month is stored or read. False if it was decided before. */
export async function decideMonth(
  trx: Trx,
  decision: Pick<ExpiredMonth, 'month' | 'keptMonths' | 'decidedBy' | 'decidedAt'>,
): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('usageExpiredMonth')
    .values({
      ...decision,
      month: sqlTime(decision.month),
      decidedAt: sqlTime(decision.decidedAt),
      state: 'expiring',
    })
    .onConflict((on) => on.doNothing())
    .executeTakeFirstOrThrow()
  return numInsertedOrUpdatedRows === 1n
}

/**
 * Counts what a detached table holds, writes it down, and drops the table: all of it or nothing. Where a month
 * had one again, or late events were counted in the meantime, it adds.
 */
export async function dropMonth(trx: Trx, month: Instant, table: string, at: Instant): Promise<void> {
  await sql`select from usage_expired_month where month = ${sqlTime(month)} for no key update`.execute(trx)
  const standing = await standingOf(trx, table)
  if (standing !== 'gone' && standing !== 'detached') throw new Error(`${table} is still ${standing}.`)
  const isThere = standing === 'detached'
  if (isThere) {
    // Counted before anything of `usage_expired` is locked: a late event waits for its row as long as that is.
    await sql`
      create temporary table expiring_usage on commit drop as
      select customer_id, meter_key, count(*) as events, count(*) filter (where is_counted) as counted,
             coalesce(sum(quantity) filter (where is_counted), 0) as sum
      from (select *, ${isCounted('event')} as is_counted from ${sql.table(table)} as event) as event
      group by customer_id, meter_key`.execute(trx)
    await sql`
      insert into usage_expired as here (customer_id, meter_key, month, events, counted, sum)
      select customer_id, meter_key, ${sqlTime(month)}::timestamptz, events, counted, sum
      from expiring_usage order by customer_id, meter_key
      on conflict (customer_id, meter_key, month) do update set
        events = here.events + excluded.events,
        counted = here.counted + excluded.counted,
        sum = here.sum + excluded.sum`.execute(trx)
  }
  await sql`
    update usage_expired_month set state = 'expired', expired_at = coalesce(expired_at, ${sqlTime(at)}),
      events = coalesce(events, 0) + ${isThere ? sql`(select coalesce(sum(events), 0)::int8 from expiring_usage)` : sql`0`}
    where month = ${sqlTime(month)}`.execute(trx)
  if (isThere) await sql`drop table ${sql.table(table)}`.execute(trx)
}

/** A month whose events are gone, and how many events of it came afterwards. */
export type ExpiredMonthShown = ExpiredMonth & { readonly lateEvents: bigint | null }

/** Newest first. */
export async function listExpiredMonths(
  db: Db,
  { limit, after }: { readonly limit: number; readonly after?: Instant | undefined },
): Promise<ExpiredMonthShown[]> {
  const { rows } = await sql<ExpiredMonthShown>`
    select its.*, (select coalesce(sum(events), 0)::int8 from usage_expired where month = its.month) - events as late_events
    from usage_expired_month as its
    where ${after === undefined ? sql`true` : sql`month < ${sqlTime(after)}`}
    order by month desc limit ${limit}`.execute(db)
  return rows
}

/** How many months are on their way out, and out. */
export async function expiredFigures(db: Db): Promise<{ expiring: number; expired: number }> {
  const { rows } = await sql<{ expiring: number; expired: number }>`
    select (count(*) filter (where state = 'expiring'))::int4 as expiring,
           (count(*) filter (where state = 'expired'))::int4 as expired
    from usage_expired_month`.execute(db)
  return rows[0] ?? { expiring: 0, expired: 0 }
}
