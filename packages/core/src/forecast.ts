import { assert } from './assert.ts'
import { divideRounded } from './divide.ts'
import type { Instant } from './instant.ts'
import type { Meter, UsageTotals } from './meter.ts'
import type { Period } from './period.ts'

/** Of the first hour nothing is said: what it holds is as much chance as habit. */
const SOONEST_SECONDS = 3600

/** Whether there is enough of a period to say how it may end, and something of it still to come. */
export function isForeseeable({ start, end }: Period, at: Instant): boolean {
  return at - start >= SOONEST_SECONDS && at < end
}

/**
 * What a meter comes to by the end of a period, if it goes on as it has from the period's start to `at`. An
 * estimate, exactly reckoned: counts and sums grow with the time, seconds by seconds, and are rounded once, to
 * whole events and to 1e-9 of a unit, a half away from zero. What does not add up over time stays as it is: the largest, the last, and
 * how many different values there are. A level needs no estimate: what is measured of it is reckoned to the end already,
 * as if nobody changed it any more.
 */
export function foreseeUsage(
  { aggregation }: Pick<Meter, 'aggregation'>,
  totals: UsageTotals,
  { period: { start, end }, at }: { readonly period: Period; readonly at: Instant },
): UsageTotals {
  assert(start < at && at <= end, 'a moment inside the period')
  const byEnd = (soFar: bigint) => divideRounded(soFar * BigInt(end - start), BigInt(at - start))
  if (aggregation !== 'count' && aggregation !== 'sum') return totals
  return { ...totals, count: byEnd(totals.count), sum: byEnd(totals.sum) }
}
