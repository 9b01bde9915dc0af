import type { Instant } from '@lockstep/core/instant'
import type { UsageTotals } from '@lockstep/core/meter'
import type { Period } from '@lockstep/core/period'
import { quantityOf } from '@lockstep/core/quantity'
import { type LevelChange, weigh } from '@lockstep/core/usage-level'
import { type RawBuilder, sql } from 'kysely'
import type { Db } from '../postgres/connect.ts'
import { sqlTime } from './time.ts'
import { type Summed, totalsOf } from './usage.ts'

/** Usage of one meter in one hour or day of UTC, or in all of the period. */
export interface MeasuredUsage {
  readonly meterKey: string
  /** Of the hour or day, as far as it lies in the period; or all of it. */
  readonly stretch: Period
  readonly totals: UsageTotals
}

export interface UsageQuery {
  readonly customerId: string
  /** Whole buckets, as for {@link usageTotals}. */
  readonly period: Period
  readonly meterKey?: string | undefined
  readonly groupBy: 'hour' | 'day' | 'none'
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
      select meter_key, ${start} as start, sum(count)::int8 as count, sum(sum) as sum, max(max) as max,
             (array_agg(last order by bucket desc))[1] as last
      from usage_rollup where ${inPeriod} group by 1, 2`.execute(db),
    sql<Stretch & { unique: bigint }>`
      select meter_key, ${start} as start, count(distinct value) as unique
      from usage_unique where ${inPeriod} group by 1, 2`.execute(db),
    levelsOf(db, query),
  ])
  const measured = new Map<string, MeasuredUsage>()
  const add = (meterKey: string, stretch: Period, totals: UsageTotals) => {
    const key = `${meterKey} ${stretch.start}`
    measured.set(key, { meterKey, stretch, totals: { ...measured.get(key)?.totals, ...totals } })
  }
  const stretchOf = ({ start }: Stretch): Period => {
    if (start === null || groupBy === 'none') return period
    const end = start + SECONDS[groupBy]
    return { start: Math.max(start, period.start), end: Math.min(end, period.end) }
  }
  for (const row of rolled.rows) add(row.meterKey, stretchOf(row), totalsOf(row))
  for (const row of values.rows) {
    const known = measured.get(`${row.meterKey} ${stretchOf(row).start}`)
    if (known) add(row.meterKey, stretchOf(row), { ...known.totals, unique: row.unique })
  }
  for (const [meterKey, changes] of levels) {
    let [level, at] = [0n, 0]
    for (const stretch of stretchesOf(query)) {
      const held = { start: stretch.start - 1, change: level, moment: 0n }
      const inside: LevelChange[] = []
      for (let next = changes[at]; next && next.start < stretch.end; next = changes[++at]) {
        inside.push(next)
        level += next.change
      }
      const weighted = weigh([held, ...inside], stretch)
      const known = measured.get(`${meterKey} ${stretch.start}`)?.totals
      if (known || weighted !== 0n) add(meterKey, stretch, { ...(known ?? noEvents), weighted })
    }
  }
  return [...measured.values()].sort(
    (a, b) => compare(a.meterKey, b.meterKey) || a.stretch.start - b.stretch.start,
  )
}

interface Stretch {
  readonly meterKey: string
  /** Null for all of the period. */
  readonly start: Instant | null
}

const noEvents: UsageTotals = { count: 0n, sum: 0n, max: null, last: null }

const ofMeter = ({ customerId, meterKey }: UsageQuery): RawBuilder<unknown> =>
  sql`customer_id = ${customerId} and ${meterKey === undefined ? sql`true` : sql`meter_key = ${meterKey}`}`

/** Everything that ever changed a level, up to the period's end: it may have been raised long before. */
async function levelsOf(db: Db, query: UsageQuery): Promise<Map<string, LevelChange[]>> {
  const { rows } = await sql<{ meterKey: string; bucket: Instant; change: string; moment: string }>`
    select meter_key, bucket, change, moment from usage_level
    where ${ofMeter(query)} and bucket < ${sqlTime(query.period.end)} order by bucket`.execute(db)
  const levels = new Map<string, LevelChange[]>()
  for (const { meterKey, bucket: start, change, moment } of rows) {
    const changes = levels.get(meterKey) ?? []
    changes.push({ start, change: quantityOf(change), moment: quantityOf(moment) })
    levels.set(meterKey, changes)
  }
  return levels
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
