import type { Quantity } from './quantity.ts'
import { units } from './quantity.ts'

export const aggregations = ['count', 'sum', 'max', 'last'] as const

/** How a meter makes one quantity of many events; Stripe Meters' words, and `max`. */
export type Aggregation = (typeof aggregations)[number]

/** What is measured. A usage event's `type` is a meter's key. */
export interface Meter {
  readonly key: string
  readonly name: string
  /** Of one unit, in the singular: `second`, `byte`. */
  readonly unitLabel: string
  /** Never changes: invoices that are rated already would change with it. */
  readonly aggregation: Aggregation
}

/** All that is kept of a customer's events of one meter and stretch of time, whatever the aggregation. */
export interface UsageTotals {
  readonly count: bigint
  readonly sum: Quantity
  readonly max: Quantity | null
  /** Of the event with the latest time of its own, however late it arrived. */
  readonly last: Quantity | null
}

export const noUsage: UsageTotals = { count: 0n, sum: 0n, max: null, last: null }

/** The quantity that is priced. Without events it is 0 for every aggregation. */
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
  }
}
