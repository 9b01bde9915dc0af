import type { Instant } from '@lockstep/core/instant'
import type { UsageTotals } from '@lockstep/core/meter'
import type { Period } from '@lockstep/core/period'
import { quantityOf } from '@lockstep/core/quantity'
import type { GroupValues } from '@lockstep/core/usage-group'
import { type LevelChange, weigh } from '@lockstep/core/usage-level'
import { type RawBuilder, sql } from 'kysely'
import type { Db } from '../postgres/connect.ts'
import { sqlTime } from './time.ts'
import { type Summed, totalsOf } from './usage.ts'
import { type AskedGroups, isAsked, namedBy } from './usage-groups.ts'

/** Usage of one meter in one hour or day of UTC, or in all of the period. */
export interface MeasuredUsage {
  readonly meterKey: string
  /** Of the hour or day, as far as it lies in the period; or all of it. */
  readonly stretch: Period
  readonly totals: UsageTotals
  /** The values that it is kept apart by, where that is asked. */
  readonly values?: GroupValues
}

export interface UsageQuery {
  readonly customerId: string
  /** Whole buckets, as for {@link usageTotals}. */
  readonly period: Period
  readonly meterKey?: string | undefined
  readonly groupBy: 'hour' | 'day' | 'none'
  /** Of one meter with dimensions: by which it is kept apart, and of which values alone it is. */
  readonly groups?: AskedGroups | undefined
}

const SECONDS = { hour: 3600, day: 86_400 }

/**
 * A customer's usage over time, by meter and then time. What has none is left out; a level is there as
 * long as it is held, whether or not anything changes.
 */
export async function usageOverTime(db: Db, query: UsageQuery): Promise<MeasuredUsage[]> {
  const { groupBy, period } = query
  const inPeriod = sql`${ofMeter(query)}
    and bucket >= ${sqlTime(period.start)} and bucket < ${sqlTime(period.end)}`
  const start = groupBy === 'none' ? sql`null::timestamptz` : sql`date_trunc(${groupBy}, bucket, 'UTC')`
  const [rolled, values, levels] = await Promise.all([
    sql<Summed & Stretch>`
      select meter_key, named, ${start} as start, sum(count)::int8 as count, sum(sum) as sum, max(max) as max,
             (array_agg(last order by last_at desc, last_id desc, last desc))[1] as last
      from ${keptOf('rollup', query)} as kept where ${inPeriod} group by 1, 2, 3`.execute(db),
    sql<Stretch & { unique: bigint }>`
      select meter_key, named, ${start} as start, count(distinct value) as unique
      from ${keptOf('unique', query)} as kept where ${inPeriod} group by 1, 2, 3`.execute(db),
    levelsOf(db, query),
  ])
  const measured = new Map<string, MeasuredUsage>()
  const keyOf = ({ meterKey, named }: OfGroup, { start }: Period) =>
    `${meterKey} ${JSON.stringify(named)} ${start}`
  const add = (of: OfGroup, stretch: Period, totals: UsageTotals) => {
    const { meterKey, named } = of
    const known = measured.get(keyOf(of, stretch))?.totals
    const values = named === null ? {} : { values: named }
    measured.set(keyOf(of, stretch), { meterKey, stretch, totals: { ...known, ...totals }, ...values })
  }
  const stretchOf = ({ start }: Stretch): Period => {
    if (start === null || groupBy === 'none') return period
    const end = start + SECONDS[groupBy]
    return { start: Math.max(start, period.start), end: Math.min(end, period.end) }
  }
  for (const row of rolled.rows) add(row, stretchOf(row), totalsOf(row))
  for (const row of values.rows) {
    const known = measured.get(keyOf(row, stretchOf(row)))
    if (known) add(row, stretchOf(row), { ...known.totals, unique: row.unique })
  }
  for (const { of, changes } of levels) {
    let [level, at] = [0n, 0]
    for (const stretch of stretchesOf(query)) {
      const held = { start: stretch.start - 1, change: level, moment: 0n }
      const inside: LevelChange[] = []
      for (let next = changes[at]; next && next.start < stretch.end; next = changes[++at]) {
        inside.push(next)
        level += next.change
      }
      const weighted = weigh([held, ...inside], stretch)
      const known = measured.get(keyOf(of, stretch))?.totals
      if (known || weighted !== 0n) add(of, stretch, { ...(known ?? noEvents), weighted })
    }
  }
  return [...measured.values()].sort(
    (a, b) =>
      compare(a.meterKey, b.meterKey) ||
      a.stretch.start - b.stretch.start ||
      compare(JSON.stringify(a.values ?? []), JSON.stringify(b.values ?? [])),
  )
}

interface OfGroup {
  readonly meterKey: string
  /** Null where usage is not asked apart. */
  readonly named: GroupValues | null
}

interface Stretch extends OfGroup {
  /** Null for all of the period. */
  readonly start: Instant | null
}

const noEvents: UsageTotals = { count: 0n, sum: 0n, max: null, last: null }

const ofMeter = ({ customerId, meterKey }: UsageQuery): RawBuilder<unknown> =>
  sql`customer_id = ${customerId} and ${meterKey === undefined ? sql`true` : sql`meter_key = ${meterKey}`}`

/** Everything that ever changed a level, up to the period's end: it may have been raised long before. */
async function levelsOf(db: Db, query: UsageQuery): Promise<{ of: OfGroup; changes: LevelChange[] }[]> {
  const { rows } = await sql<OfGroup & { bucket: Instant; change: string; moment: string }>`
    select meter_key, named, bucket, change, moment from ${keptOf('level', query)} as kept
    where ${ofMeter(query)} and bucket < ${sqlTime(query.period.end)} order by bucket`.execute(db)
  const levels = new Map<string, { of: OfGroup; changes: LevelChange[] }>()
  for (const { bucket: start, change, moment, ...of } of rows) {
    const key = `${of.meterKey} ${JSON.stringify(of.named)}`
    const level = levels.get(key) ?? { of, changes: [] }
    level.changes.push({ start, change: quantityOf(change), moment: quantityOf(moment) })
    levels.set(key, level)
  }
  return [...levels.values()]
}

/** What is kept of all usage together; or by group, each named by the values that are asked for. */
function keptOf(what: 'rollup' | 'unique' | 'level', { groups }: UsageQuery): RawBuilder<unknown> {
  if (!groups) return sql`(select null::jsonb as named, * from ${sql.table(`usage_${what}`)})`
  return sql`(
    select ${namedBy(groups)} as named, kept.*
    from ${sql.table(`usage_group_${what}`)} as kept
    join usage_group as its on its.customer_id = kept.customer_id and its.meter_key = kept.meter_key
      and its.id = kept.group_id and ${isAsked(groups)}
  )`
}

/** The hours or days of UTC that lie in the period, the first and the last one as far as they do. */
function* stretchesOf({ period, groupBy }: UsageQuery): Generator<Period> {
  const step = groupBy === 'none' ? undefined : SECONDS[groupBy]
  for (let start = period.start; start < period.end; ) {
    const end = step === undefined ? period.end : (Math.floor(start / step) + 1) * step
    yield { start, end: Math.min(end, period.end) }
    start = end
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
