import type { Interval } from './billing-cycle.ts'
import type { Currency } from './money.ts'

/** How often a recurring price is billed, and in what. */
export interface PriceRhythm {
  readonly currency: Currency
  readonly interval: Interval
  readonly intervalCount: number
}
