import { type RawBuilder, sql } from 'kysely'
import type { Trx } from '../postgres/connect.ts'
import { ofLast } from './usage-last.ts'

/**
 * Counts the groups of buckets again, as `recountUsage` does what is kept of all usage together; of meters
 * with dimensions only.
 */
export async function recountGroups(
  trx: Trx,
  inBuckets: RawBuilder<unknown>,
  events: RawBuilder<unknown>,
  meterKey: string | undefined,
): Promise<void> {
  if (!(await hasDimensions(trx, meterKey))) return
  const grouped = sql`(select event.*, ${GROUP_ID} as group_id from ${events} where rules ? 'dimensions') as event`
  await sql`
    insert into usage_group (customer_id, meter_key, id, dimension_values)
    select distinct on (customer_id, meter_key, group_id) customer_id, meter_key, group_id,
           ${GROUP_VALUES}
    from ${grouped} order by customer_id, meter_key, group_id
    on conflict do nothing`.execute(trx)
  await sql`delete from usage_group_rollup where ${inBuckets}`.execute(trx)
  await sql`
    insert into usage_group_rollup
      (customer_id, meter_key, bucket, group_id, count, sum, max, last, last_at, last_id)
    select customer_id, meter_key, bucket, group_id, count(*), sum(quantity), max(quantity),
           ${ofLast('quantity')}, ${ofLast('time')}, ${ofLast('id')}
    from ${grouped} group by customer_id, meter_key, bucket, group_id`.execute(trx)
  await sql`delete from usage_group_unique where ${inBuckets}`.execute(trx)
  await sql`
    insert into usage_group_unique (customer_id, meter_key, bucket, group_id, value)
    select distinct customer_id, meter_key, bucket, group_id,
           encode(substr(sha256(convert_to(data ->> property, 'UTF8')), 1, 16), 'hex')::uuid
    from ${grouped} where aggregation = 'unique'`.execute(trx)
  await sql`delete from usage_group_level where ${inBuckets}`.execute(trx)
  await sql`
    insert into usage_group_level (customer_id, meter_key, bucket, group_id, change, moment)
    select customer_id, meter_key, bucket, group_id, sum(quantity),
           sum(quantity * (floor(extract(epoch from time)) - extract(epoch from bucket))::int8)
    from ${grouped} where aggregation = 'timeWeightedSum'
    group by customer_id, meter_key, bucket, group_id`.execute(trx)
}

async function hasDimensions(trx: Trx, meterKey: string | undefined): Promise<boolean> {
  const { rows } = await sql`
    select from meter where rules ? 'dimensions'
      and ${meterKey === undefined ? sql`true` : sql`key = ${meterKey}`} limit 1`.execute(trx)
  return rows.length > 0
}

const DIMENSIONS = sql`jsonb_array_elements_text(rules -> 'dimensions') with ordinality as dimension (name, nth)`

/** The values of an event's dimensions, as a list. */
export const GROUP_VALUES = sql`(select jsonb_agg(data ->> name order by nth) from ${DIMENSIONS})`

/** As `groupIdOf` of usage/identity.ts: the first 16 bytes of SHA-256 over each value with its length before it. */
const GROUP_ID = sql`encode(substr(sha256(convert_to((
  select string_agg(coalesce(octet_length(data ->> name) || ':' || (data ->> name), '-'), '' order by nth)
  from ${DIMENSIONS}
), 'UTF8')), 1, 16), 'hex')::uuid`
