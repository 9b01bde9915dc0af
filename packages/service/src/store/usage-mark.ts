import type { Period } from '@lockstep/core/period'
import { sql } from 'kysely'
import type { Db, Trx } from '../postgres/connect.ts'
import { sqlTime } from './time.ts'

/**
 * A text that is another one as soon as other usage counts for some periods of a customer: by meter how many events
 * there are, of which ingest only ever makes more, and how many corrections, each of which may put in as many as it takes out.
 * A level is what every event before the period's end has made of it, so of levels all of those are counted.
 *
 * Costs by the hours and meters, whatever groups and values the usage has.
 */
export async function usageMark(
  db: Db | Trx,
  customerId: string,
  periods: readonly Period[],
): Promise<string> {
  const { rows } = await sql<{ mark: string }>`
    with period as (
      select nth, first, ends from unnest(
        ${periods.map(({ start }) => sqlTime(start))}::timestamptz[], ${periods.map(({ end }) => sqlTime(end))}::timestamptz[]
      ) with ordinality as period (first, ends, nth)
    ), counted as (
      select nth, meter_key, sum(count) as count from period
      join usage_rollup on customer_id = ${customerId} and bucket >= first and bucket < ends
      group by nth, meter_key
    ), leveled as (
      select nth, meter_key, sum(count) as count from period
      join usage_rollup on customer_id = ${customerId} and bucket < first
      where exists (select from usage_level where customer_id = ${customerId})
        and meter_key in (select key from meter where aggregation = 'timeWeightedSum')
      group by nth, meter_key
    )
    select jsonb_build_array(
      (select jsonb_agg(jsonb_build_array(nth, meter_key, count) order by nth, meter_key) from counted),
      (select jsonb_agg(jsonb_build_array(nth, meter_key, count) order by nth, meter_key) from leveled),
      (select count(*) from usage_correction where customer_id = ${customerId})
    )::text as mark`.execute(db)
  const [row] = rows
  if (!row) throw new Error('A select without a table has one row.')
  return row.mark
}
