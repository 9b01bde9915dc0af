import type { Instant } from '@lockstep/core/instant'
import { sql } from 'kysely'
import type { Db } from '../postgres/connect.ts'
import { sqlTime } from './time.ts'

/** A customer's usage from the beginning of a period up to a moment. */
export interface Stretch {
  readonly customerId: string
  readonly starts: Instant
  readonly until: Instant
}

/** A stretch that is about to be added up. */
export interface Announced extends Stretch {
  /** The transaction that announced it. */
  readonly announced: string
  /** The first transaction of which it is certain that it saw the announcement; those after it did as well. */
  readonly seenFrom: string
}

const ofStretch = ({ customerId, starts, until }: Stretch) =>
  sql`customer_id = ${customerId} and starts = ${sqlTime(starts)} and until = ${sqlTime(until)}`

/** Up to which moment the usage since `starts` is added up, if that is of use for a period with this end. */
export async function summedUntil(
  db: Db,
  { customerId, starts, end }: Omit<Stretch, 'until'> & { readonly end: Instant },
): Promise<Instant | undefined> {
  const row = await db
    .selectFrom('usageSum')
    .select('until')
    .where('customerId', '=', customerId)
    .where('starts', '=', sqlTime(starts))
    .where('until', '<=', sqlTime(end))
    .where('meterKeys', 'is not', null)
    .orderBy('until', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row?.until
}

/**
 * Announces that a stretch is added up: from now on whoever changes its usage takes the announcement away. Undefined if
 * somebody has already.
 */
export async function announceSum(db: Db, stretch: Stretch): Promise<Announced | undefined> {
  const { customerId, starts, until } = stretch
  await db
    .insertInto('usageSum')
    .values({ customerId, starts: sqlTime(starts), until: sqlTime(until) })
    .onConflict((on) => on.doNothing())
    .execute()
  // A statement of its own, which begins when the announcement is committed.
  const { rows } = await sql<Pick<Announced, 'announced' | 'seenFrom'>>`
    select announced::text, pg_snapshot_xmax(pg_current_snapshot())::text as seen_from
    from usage_sum where ${ofStretch(stretch)} and meter_keys is null`.execute(db)
  return rows[0] && { ...stretch, ...rows[0] }
}

/**
 * Adds an announced stretch up. False if that cannot be done: its usage has changed since it was announced, or somebody may be
 * changing it who had not seen the announcement.
 *
 * Why a sum is right. Who had not seen the announcement has ended when nobody is at work any more who was before
 * {@link Announced.seenFrom}, and then counts here. Who had seen it, or sees the sum, takes it away in the transaction that
 * changes the usage. So nobody sees the sum beside other usage than it was made of. No lock is needed, and whoever brings
 * usage waits for nobody. (As at the gate, nobody brings any in REPEATABLE READ: its snapshot would be older than its number.)
 */
export async function addUpSum(db: Db, { announced, seenFrom, ...stretch }: Announced): Promise<boolean> {
  const { customerId, starts, until } = stretch
  const { rows } = await sql`
    update usage_sum set meter_keys = keys, counts = total.counts, sums = total.sums, maxima = total.maxima
    from (
      select coalesce(array_agg(meter_key), '{}') as keys, coalesce(array_agg(count), '{}') as counts,
             coalesce(array_agg(sum), '{}') as sums, coalesce(array_agg(max), '{}') as maxima
      from (
        select meter_key, sum(count)::int8 as count, sum(sum) as sum, max(max) as max from usage_rollup
        where customer_id = ${customerId} and bucket >= ${sqlTime(starts)} and bucket < ${sqlTime(until)}
        group by meter_key
      ) as of_meter
    ) as total
    where ${ofStretch(stretch)} and announced = ${announced}::xid8 and meter_keys is null
      and pg_snapshot_xmin(pg_current_snapshot()) >= ${seenFrom}::xid8
    returning until`.execute(db)
  return rows.length === 1
}

/** Forgets what reaches less far than this: of the same period, and of those before it. */
export async function forgetShorterSums(db: Db, { customerId, until }: Stretch): Promise<void> {
  await db
    .deleteFrom('usageSum')
    .where('customerId', '=', customerId)
    .where('until', '<', sqlTime(until))
    .execute()
}
