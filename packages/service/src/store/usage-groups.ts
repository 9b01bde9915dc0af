import type { Period } from '@lockstep/core/period'
import type { GroupValues, UsageGroup } from '@lockstep/core/usage-group'
import { type RawBuilder, sql } from 'kysely'
import type { Db, Trx } from '../postgres/connect.ts'
import { sqlTime } from './time.ts'
import { type Summed, totalsOf } from './usage.ts'

export interface GroupedQuery {
  readonly customerId: string
  readonly meterKey: string
  /** Whole buckets, as for {@link usageTotals}. */
  readonly period: Period
  /** The meter's dimensions, in their order. */
  readonly dimensions: readonly string[]
  /** Some of them, in the same order. */
  readonly groupBy: readonly string[]
}

/**
 * A customer's usage of one meter and period by group; groups without usage are left out, and a level's
 * that is held is there. Where only some of the dimensions count, groups that differ in the others are
 * measured as one. Costs by the groups and hours, never by the events. What came last is told only of meters that
 * ask for it: to find it, every hour of every group is sorted.
 */
export async function usageByGroup(db: Db | Trx, query: GroupedQuery): Promise<UsageGroup[]> {
  const { customerId, meterKey, period } = query
  const ofMeter = sql`customer_id = ${customerId} and meter_key = ${meterKey}`
  const inPeriod = sql`${ofMeter} and bucket >= ${sqlTime(period.start)} and bucket < ${sqlTime(period.end)}`
  const end = sqlTime(period.end)
  const start = sqlTime(period.start)
  const { rows } = await sql<Summed & { key: string; named: GroupValues }>`
    with groups as (
      select id, ${valuesOf(query)} as named from usage_group where ${ofMeter}
    ), one as (
      select group_id, sum(count)::int8 as count, sum(sum) as sum, max(max) as max
      from usage_group_rollup where ${inPeriod} group by group_id
    ), latest as (
      select named, (array_agg(last order by last_at desc, last_id desc, last desc))[1] as last
      from usage_group_rollup join groups on id = group_id
      where ${inPeriod} and exists (select from meter where key = ${meterKey} and aggregation = 'last') group by named
    ), total as (
      select named, sum(count)::int8 as count, sum(sum) as sum, max(max) as max
      from one join groups on id = group_id group by named
    ), seen as (
      select named, count(distinct value) as "unique"
      from usage_group_unique join groups on id = group_id where ${inPeriod} group by named
    ), level as (
      select named,
             sum(change * extract(epoch from ${end}::timestamptz - greatest(bucket, ${start}))::int8)
               - coalesce(sum(moment) filter (where bucket >= ${start}), 0) as weighted
      from usage_group_level join groups on id = group_id
      where ${ofMeter} and bucket < ${end} group by named
    )
    select named, left(encode(sha256(convert_to(named::text, 'UTF8')), 'hex'), 32) as key,
           count, sum, max, last, "unique", weighted
    from total full join level using (named) left join seen using (named) left join latest using (named)
    where count is not null or weighted <> 0`.execute(db)
  return rows.map(({ key, named, ...summed }) => ({ key, values: named, totals: totalsOf(summed) }))
}

/** How a reader wants usage kept apart. */
export interface AskedGroups extends Pick<GroupedQuery, 'dimensions' | 'groupBy'> {
  /** Of these values alone, by dimension; null for what has none. */
  readonly only: Readonly<Record<string, string | null>>
}

export const namedBy = (asked: AskedGroups): RawBuilder<unknown> => valuesOf(asked)

/** Whether a row of usage_group is asked for. */
export function isAsked({ dimensions, only }: AskedGroups): RawBuilder<unknown> {
  const names = Object.keys(only)
  if (names.length === 0) return sql`true`
  const values = [names.map((name) => only[name] ?? null)]
  return isGroupOf({ dimensions, groupBy: names, values, except: false })
}

/** Some groups of a meter's usage, or all others. */
export interface OnlyGroups extends Pick<GroupedQuery, 'dimensions' | 'groupBy'> {
  readonly values: readonly GroupValues[]
  readonly except: boolean
}

/** Whether a row of usage_group is of these groups. */
export const isGroupOf = (only: OnlyGroups): RawBuilder<boolean> => isAmong(valuesOf(only), only)

/** Whether an event is of these groups, by its column `data`. */
export const isEventOf = (only: OnlyGroups): RawBuilder<boolean> =>
  isAmong(sql`jsonb_build_array(${sql.join(only.groupBy.map((name) => sql`data ->> ${name}`))})`, only)

const isAmong = (group: RawBuilder<unknown>, { values, except }: OnlyGroups): RawBuilder<boolean> => {
  const list = sql`${values.map((one) => JSON.stringify(one))}::jsonb[]`
  return except ? sql`${group} <> all (${list})` : sql`${group} = any (${list})`
}

/** The values of the dimensions that count, as a list. */
const valuesOf = ({
  dimensions,
  groupBy,
}: Pick<GroupedQuery, 'dimensions' | 'groupBy'>): RawBuilder<unknown> =>
  sql`jsonb_build_array(${sql.join(
    groupBy.map((name) => sql`dimension_values -> ${sql.lit(dimensions.indexOf(name))}`),
  )})`
