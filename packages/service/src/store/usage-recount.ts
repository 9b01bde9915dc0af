import type { Period } from '@lockstep/core/period'
import { type RawBuilder, sql } from 'kysely'
import type { Trx } from '../postgres/connect.ts'
import { isCounted } from './counted-events.ts'
import { sqlTime } from './time.ts'
import { recountGroups } from './usage-group-recount.ts'
import { ofLast } from './usage-last.ts'

interface Recount {
  readonly customerId: string
  /** Every meter's unless named. */
  readonly meterKey?: string
  /** Whole buckets. */
  readonly period: Period
}

/**
 * Counts buckets again from the events themselves, each by the cuts of now: the rollups, and what is kept
 * beside them. Answers how many events they held before and hold now: the caller knows what the difference
 * must be, and that events are missing where it is another. The customer's gate must be closed, or an
 * event in flight would be counted twice.
 */
export async function recountUsage(
  trx: Trx,
  { customerId, meterKey, period }: Recount,
): Promise<{ readonly before: bigint; readonly after: bigint }> {
  const ofMeter = meterKey === undefined ? sql`true` : sql`meter_key = ${meterKey}`
  const within = (column: 'bucket' | 'time') =>
    sql`customer_id = ${customerId} and ${ofMeter}
      and ${sql.ref(column)} >= ${sqlTime(period.start)} and ${sql.ref(column)} < ${sqlTime(period.end)}`
  const events = sql`(
    select event.*, aggregation, rules, rules ->> 'property' as property, greatest(
        date_trunc('hour', time, 'UTC'),
        (select max(at) from usage_cut where customer_id = ${customerId} and at <= time)
      ) as bucket
    from usage_event event join meter on meter.key = event.meter_key
    where ${within('time')} and ${isCounted('event')}
  ) as event`
  const removed = sql<{ count: bigint }>`
    delete from usage_rollup where ${within('bucket')} returning count`.execute(trx)
  const counted = sql<{ count: bigint }>`
    insert into usage_rollup (customer_id, meter_key, bucket, count, sum, max, last, last_at, last_id)
    select customer_id, meter_key, bucket, count(*), sum(quantity), max(quantity),
           ${ofLast('quantity')}, ${ofLast('time')}, ${ofLast('id')}
    from ${events} group by customer_id, meter_key, bucket
    returning count`.execute(trx)
  await Promise.all([
    recountValues(trx, within('bucket'), events),
    recountLevels(trx, within('bucket'), events),
    recountGroups(trx, within('bucket'), events, meterKey),
  ])
  const total = (rows: readonly { count: bigint }[]) => rows.reduce((sum, { count }) => sum + count, 0n)
  return { before: total((await removed).rows), after: total((await counted).rows) }
}

/** The same values as ingest's: the first 16 bytes of SHA-256 over the text of each. */
async function recountValues(trx: Trx, inBuckets: RawBuilder<unknown>, events: RawBuilder<unknown>) {
  const removed = sql`delete from usage_unique where ${inBuckets}`.execute(trx)
  const counted = sql`
    insert into usage_unique (customer_id, meter_key, bucket, value)
    select distinct customer_id, meter_key, bucket,
           encode(substr(sha256(convert_to(data ->> property, 'UTF8')), 1, 16), 'hex')::uuid
    from ${events} where aggregation = 'unique'`.execute(trx)
  await Promise.all([removed, counted])
}

/** As core's `weigh` wants them: changes, and each times the whole seconds since its bucket began. */
async function recountLevels(trx: Trx, inBuckets: RawBuilder<unknown>, events: RawBuilder<unknown>) {
  const removed = sql`delete from usage_level where ${inBuckets}`.execute(trx)
  const counted = sql`
    insert into usage_level (customer_id, meter_key, bucket, change, moment)
    select customer_id, meter_key, bucket, sum(quantity),
           sum(quantity * (floor(extract(epoch from time)) - extract(epoch from bucket))::int8)
    from ${events} where aggregation = 'timeWeightedSum'
    group by customer_id, meter_key, bucket`.execute(trx)
  await Promise.all([removed, counted])
}
