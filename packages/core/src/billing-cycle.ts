import { assert } from './assert.ts'
import type { Instant } from './instant.ts'
import { contains, type Period } from './period.ts'

export const intervals = ['day', 'week', 'month', 'year'] as const
export type Interval = (typeof intervals)[number]

export interface BillingCycle {
  /** The moment the cycle counts from; Stripe's `billing_cycle_anchor`. */
  readonly anchor: Instant
  readonly interval: Interval
  /** 3 with `month` bills every quarter. */
  readonly intervalCount: number
}

const SECONDS_PER_DAY = 86_400

/**
 * The period of the cycle at `index`, counted from the anchor and not from the period before it.
 * Anchored on 31 January, a monthly cycle bills on 28 February and then on 31 March again; stepping
 * from period to period would stay on the 28th for ever. A negative index lies before the anchor.
 */
export function periodAt(cycle: BillingCycle, index: number): Period {
  return { start: boundary(cycle, index), end: boundary(cycle, index + 1) }
}

/** The one period of the cycle that holds `at`, also before the anchor. */
export function periodContaining(cycle: BillingCycle, at: Instant): Period {
  // Clamped days make a month-end arithmetic guess off by at most one period; time decides.
  let index = guess(cycle, at)
  while (boundary(cycle, index) > at) index -= 1
  while (boundary(cycle, index + 1) <= at) index += 1
  const period = periodAt(cycle, index)
  assert(contains(period, at))
  return period
}

/**
 * The whole period that `period` is, or of which it is a part. Counted from the cycle's anchor where it begins on
 * one of the cycle's boundaries; otherwise (the cycle was begun anew since, or the first period is a part) from
 * its own start, so that what a period is a part of never changes with a later anchor.
 */
export function wholePeriodOf({ start }: Period, cycle: BillingCycle): Period {
  const own = periodContaining(cycle, start)
  return own.start === start ? own : periodAt({ ...cycle, anchor: start }, 0)
}

function guess({ anchor, interval, intervalCount }: BillingCycle, at: Instant): number {
  if (interval === 'day' || interval === 'week') {
    return Math.floor((at - anchor) / (SECONDS_PER_DAY * days(interval) * intervalCount))
  }
  return Math.floor((monthNumber(at) - monthNumber(anchor)) / (months(interval) * intervalCount))
}

function boundary({ anchor, interval, intervalCount }: BillingCycle, index: number): Instant {
  assert(Number.isSafeInteger(intervalCount) && intervalCount > 0, 'a cycle repeats')
  // Days are 86,400 seconds in UTC, where the provider counts too.
  if (interval === 'day' || interval === 'week') {
    return anchor + index * intervalCount * days(interval) * SECONDS_PER_DAY
  }
  const date = new Date(anchor * 1000)
  const day = date.getUTCDate()
  date.setUTCDate(1)
  date.setUTCMonth(date.getUTCMonth() + index * intervalCount * months(interval))
  date.setUTCDate(Math.min(day, daysInMonth(date)))
  return date.getTime() / 1000
}

function daysInMonth(date: Date): number {
  return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate()
}

function days(interval: 'day' | 'week'): number {
  return interval === 'week' ? 7 : 1
}

function months(interval: 'month' | 'year'): number {
  return interval === 'year' ? 12 : 1
}

function monthNumber(at: Instant): number {
  const date = new Date(at * 1000)
  return date.getUTCFullYear() * 12 + date.getUTCMonth()
}
