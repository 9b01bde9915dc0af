import type { Quantity } from './quantity.ts'
import { units } from './quantity.ts'

export const aggregations = ['count', 'sum', 'max', 'last', 'unique', 'timeWeightedSum'] as const

/**
 * How a meter makes one quantity of many events; Stripe Meters' words, and three of ours. Each comes to
 * the same whatever order the events come in, however late, however often the same one is sent.
 *
 * - `count`, `sum`, `max`.
 * - `last`: the quantity of the event with the latest time of its own.
 * - `unique`: how many different values a property of the data has in the period.
 * - `timeWeightedSum`: an event's quantity is by how much a level changes, up or down, and the level is
 *   held from second to second: 2 GB for an hour are 7200 GB-seconds. It outlives the period, so what
 *   nobody takes back is measured in the next one too.
 */
export type Aggregation = (typeof aggregations)[number]

/** What is measured. A usage event's `type` is a meter's key. */
export interface Meter {
  readonly key: string
  readonly name: string
  /** Of one unit, in the singular: `second`, `byte`. */
  readonly unitLabel: string
  /** Never changes, nor does what is below: invoices that are rated already would change with it. */
  readonly aggregation: Aggregation
  /** Of the data: whose different values are counted. Of `unique` meters only. */
  readonly property?: string
  /** Only events count whose data has one of these values under each of these names, as text. */
  readonly filter?: Readonly<Record<string, readonly string[]>>
  /** Of the data: by their values usage is kept apart too, beside all of it together. In alphabetical order. */
  readonly dimensions?: readonly string[]
}

/** What a meter says beyond its name, unit and aggregation; kept together. */
export type MeterRules = Pick<Meter, 'property' | 'filter' | 'dimensions'>

export function rulesOf({ property, filter, dimensions }: MeterRules): MeterRules {
  return {
    ...(property !== undefined && { property }),
    ...(filter !== undefined && { filter }),
    ...(dimensions !== undefined && { dimensions }),
  }
}

/** Whether count, sum, max and last of all its events are all there is to know. */
export function isPlainMeter({
  aggregation,
  filter,
  dimensions,
}: Pick<Meter, 'aggregation' | 'filter' | 'dimensions'>): boolean {
  const needsMore = aggregation === 'unique' || aggregation === 'timeWeightedSum'
  return !needsMore && filter === undefined && dimensions === undefined
}

/** Whether the event is one that the meter counts. */
export function passesFilter({ filter }: MeterRules, data: Readonly<Record<string, unknown>>): boolean {
  if (filter === undefined) return true
  return Object.entries(filter).every(([name, values]) => {
    const text = textOfValue(data[name])
    return text !== undefined && values.includes(text)
  })
}

/**
 * A value of an event's data as text: 7 and "7" are the same. Undefined where there is none, and of a number beyond
 * JavaScript's, which is kept as null. The same text that SQL reads when events are counted again.
 */
export function textOfValue(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'number' && !Number.isFinite(value)) return undefined
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** All that is kept of a customer's events of one meter and stretch of time, whatever the aggregation. */
export interface UsageTotals {
  readonly count: bigint
  readonly sum: Quantity
  readonly max: Quantity | null
  /** Of the event with the latest time of its own, however late it arrived. */
  readonly last: Quantity | null
  /** How many different values; of `unique` meters only. */
  readonly unique?: bigint
  /** The level, second by second, in units times seconds; of `timeWeightedSum` meters only. */
  readonly weighted?: Quantity
}

export const noUsage: UsageTotals = { count: 0n, sum: 0n, max: null, last: null }

/**
 * The quantity that is priced, never negative: whoever takes more off a level than was on it owes nothing
 * for that, and is owed nothing. Without events it is 0, but for a level that was raised before.
 */
export function measure({ aggregation }: Pick<Meter, 'aggregation'>, totals: UsageTotals): Quantity {
  switch (aggregation) {
    case 'count':
      return units(totals.count)
    case 'sum':
      return totals.sum
    case 'max':
      return totals.max ?? 0n
    case 'last':
      return totals.last ?? 0n
    case 'unique':
      return units(totals.unique ?? 0n)
    case 'timeWeightedSum':
      return totals.weighted !== undefined && totals.weighted > 0n ? totals.weighted : 0n
  }
}
