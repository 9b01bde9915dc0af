import type { Instant } from '@lockstep/core/instant'
import type { UsageTotals } from '@lockstep/core/meter'
import type { Period } from '@lockstep/core/period'
import { quantityOf } from '@lockstep/core/quantity'
import { type RawBuilder, sql } from 'kysely'
import { compiledSql } from '../postgres/compiled.ts'
import type { Db, Trx } from '../postgres/connect.ts'
import { grouped } from '../postgres/grouped.ts'
import { EventsExpired } from './events-expired.ts'
import { holdMonths } from './expired-months.ts'
import { type SqlTime, sqlTime } from './time.ts'
import { recountUsage } from './usage-recount.ts'

const SECONDS_PER_HOUR = 3600

/** What is kept of some buckets together; decimals as text, null where there is no rollup of them. */
export interface Summed {
  readonly count: bigint | null
  readonly sum: string | null
  readonly max: string | null
  readonly last: string | null
  readonly unique?: bigint | null
  readonly weighted?: string | null
}

export const totalsOf = ({ count, sum, max, last, unique, weighted }: Summed): UsageTotals => ({
  count: count ?? 0n,
  sum: sum === null ? 0n : quantityOf(sum),
  max: max === null ? null : quantityOf(max),
  last: last === null ? null : quantityOf(last),
  ...(unique ? { unique } : {}),
  ...(weighted == null ? {} : { weighted: quantityOf(weighted) }),
})

interface OfPeriod {
  readonly customerId: string
  readonly start: SqlTime
  readonly end: SqlTime
  /** Those of the two that are inside an hour. */
  readonly edges: readonly SqlTime[]
}

// Buckets do not overlap, so the latest bucket of a meter holds its last event. A level counts from its
// change on, also from a change before the period: as core's `weigh`, in one sum.
const totalsOfPeriod = compiledSql(({ customerId, start, end, edges }: OfPeriod) => {
  const inPeriod = sql`customer_id = ${customerId} and bucket >= ${start} and bucket < ${end}`
  // From there on to the end; said so that Postgres guesses more than a few rows: of those it would sort all to group them,
  // and plan anew each time.
  const since = (first: RawBuilder<unknown>) =>
    sql`customer_id = ${customerId} and (bucket, meter_key) >= (${first}, '') and bucket < ${end}`
  return sql<(Summed & { meterKey: string; uncut: null }) | { uncut: Instant }>`
    with summed as (
      select until, meter_keys, counts, sums, maxima from usage_sum
      where customer_id = ${customerId} and starts = ${start} and until <= ${end} and meter_keys is not null
      order by until desc limit 1
    )
    select null::timestamptz as uncut, coalesce(total.meter_key, level.meter_key) as meter_key,
           total.count, total.sum, total.max, latest.last, (
             select count(distinct value) from usage_unique
             where ${inPeriod} and meter_key = total.meter_key
           ) as unique, level.weighted
    from (
      select meter_key, sum(count)::int8 as count, sum(sum) as sum, max(max) as max
      from (
        select meter_key, sum(count) as count, sum(sum) as sum, max(max) as max
        from usage_rollup where ${since(sql`coalesce((select until from summed), ${start})`)} group by meter_key
        union all
        select unnest(meter_keys), unnest(counts), unnest(sums), unnest(maxima) from summed
      ) as part group by meter_key
    ) as total
    full join (
      select meter_key,
             sum(change * extract(epoch from ${end}::timestamptz - greatest(bucket, ${start}))::int8)
               - coalesce(sum(moment) filter (where bucket >= ${start}), 0) as weighted
      from usage_level where customer_id = ${customerId} and bucket < ${end} group by meter_key
    ) as level on level.meter_key = total.meter_key
    left join lateral (
      select last from usage_rollup
      where ${since(sql`${start}`)} and meter_key = total.meter_key order by bucket desc limit 1
    ) as latest on true
    union all
    select edge, null, null, null, null, null, null, null
    from unnest(${edges}::timestamptz[]) as edge
    where not exists (select from usage_cut where customer_id = ${customerId} and at = edge)
      and exists (
        select from usage_rollup
        where customer_id = ${customerId} and bucket >= date_trunc('hour', edge, 'UTC') and bucket < edge
      )`
})

/**
 * A customer's usage of a period by meter; meters without usage are left out. Reads rollups only,
 * however many events they are made of. The period's edges are hours or have been cut
 * ({@link cutUsage}); an edge inside a whole bucket is a mistake of ours, and throws.
 */
export async function usageTotals(
  db: Db | Trx,
  customerId: string,
  { start, end }: Period,
): Promise<Map<string, UsageTotals>> {
  const edges = [start, end].filter((edge) => edge % SECONDS_PER_HOUR !== 0).map(sqlTime)
  const rows = await totalsOfPeriod(db, { customerId, start: sqlTime(start), end: sqlTime(end), edges })
  return new Map(
    rows.map((row) => {
      if (row.uncut === null) return [row.meterKey, totalsOf(row)]
      throw new Error(`Usage of ${customerId} is not cut at ${new Date(row.uncut * 1000).toISOString()}.`)
    }),
  )
}

/**
 * Makes `at` the edge of a bucket, as every edge of a billing period must be. Hours are; elsewhere the
 * cut is remembered for the events to come, and what is in the bucket already is counted again from
 * the events themselves. Cutting ahead of time, when a period is opened, therefore costs nothing.
 *
 * The customer's gate must be closed, or an event in flight would go by the old bucket.
 *
 * @throws {EventsExpired} if events of the bucket are missing: they would be counted as too few.
 */
export async function cutUsage(trx: Trx, customerId: string, at: Instant): Promise<void> {
  if (at % SECONDS_PER_HOUR === 0) return
  const cut = await addCut(trx, { customerId, at })
  if (!cut?.isUsed) return
  const bucket = bucketAround(at, cut.cuts)
  // They are read by several statements: none may find them there and the next one not.
  if ((await holdMonths(trx, bucket)) !== undefined) throw new EventsExpired(at)
  const { before, after } = await recountUsage(trx, { customerId, period: bucket })
  if (before === after) return
  throw new EventsExpired(at)
}

/** Undefined where it was cut before; otherwise whether its hour has usage, and how it was cut so far. */
const addCut = grouped(
  async (trx, cuts: readonly { readonly customerId: string; readonly at: Instant }[]) => {
    const inHour = (time: string) =>
      sql`${sql.ref(time)} >= date_trunc('hour', cut.at) and ${sql.ref(time)} < date_trunc('hour', cut.at) + interval '1 hour'`
    const { rows } = await sql<{ customerId: string; at: Instant; cuts: Instant[]; isUsed: boolean }>`
    insert into usage_cut as cut (customer_id, at)
    select customer, at from unnest(${cuts.map(({ customerId }) => customerId)}::text[],
      ${cuts.map(({ at }) => sqlTime(at))}::timestamptz[]) as given (customer, at)
    order by customer, at
    on conflict do nothing
    returning customer_id, at, exists (
        select from usage_rollup r where r.customer_id = cut.customer_id and ${inHour('r.bucket')}
      ) as is_used, array(
        select extract(epoch from c.at)::float8 from usage_cut c where c.customer_id = cut.customer_id and ${inHour('c.at')}
      ) as cuts`.execute(trx)
    const added = new Map(rows.map((row) => [`${row.customerId} ${row.at}`, row]))
    return cuts.map(({ customerId, at }) => added.get(`${customerId} ${at}`))
  },
)

/** Cuts at both edges of a period. In one hour they cut the same bucket: one after the other. */
export async function cutPeriod(trx: Trx, customerId: string, { start, end }: Period): Promise<void> {
  const starts = cutUsage(trx, customerId, start)
  if (hourOf(start) === hourOf(end)) await starts
  await Promise.all([starts, cutUsage(trx, customerId, end)])
}

/** The bucket that `at` was inside of before it was cut there, by the cuts of its hour. */
function bucketAround(at: Instant, cuts: readonly Instant[]): Period {
  const hour = hourOf(at)
  return {
    start: Math.max(hour, ...cuts.filter((cut) => cut < at)),
    end: Math.min(hour + SECONDS_PER_HOUR, ...cuts.filter((cut) => cut > at)),
  }
}

const hourOf = (at: Instant): Instant => Math.floor(at / SECONDS_PER_HOUR) * SECONDS_PER_HOUR

/** Of these moments, those at which a customer's usage is cut. */
export async function cutsAmong(db: Db, customerId: string, moments: readonly Instant[]): Promise<Instant[]> {
  const rows = await db
    .selectFrom('usageCut')
    .select('at')
    .where('customerId', '=', customerId)
    .where('at', 'in', moments.map(sqlTime))
    .execute()
  return rows.map(({ at }) => at)
}
