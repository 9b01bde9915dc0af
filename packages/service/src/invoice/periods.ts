import { type BillingCycle, periodContaining } from '@lockstep/core/billing-cycle'
import type { Instant } from '@lockstep/core/instant'
import type { Period } from '@lockstep/core/period'

/** The days of a year and a month: more than an outage or a test clock skips, not more than a subscription has lived. */
const MOST_PERIODS = 400

export interface Rhythm {
  readonly cycle: BillingCycle
  /** The end of the trial, which is a period of its own; null without one. */
  readonly trialEnd: Instant | null
}

/**
 * The periods from `from` on up to the provider's current one, itself last. What lies between is
 * counted from the anchor, so that after an outage of months each period has its invoice and none has
 * two. They tile: each begins where the one before it ends. Of a subscription that is taken up when it has had more
 * than four hundred, the oldest after the trial are one, so that what was used in them is still somebody's.
 */
export function periodsFrom(from: Instant, current: Period, { cycle, trialEnd }: Rhythm): Period[] {
  const periods: Period[] = []
  let start = from
  while (start < current.start) {
    const natural = trialEnd !== null && start < trialEnd ? trialEnd : periodContaining(cycle, start).end
    // The provider's period is the truth: where the cycle was reset, the one before it ends early.
    const end = Math.min(natural, current.start)
    periods.push({ start, end })
    start = end
  }
  periods.push({ start, end: Math.max(start, current.end) })
  return withOldestAsOne(periods, trialEnd !== null && from < trialEnd ? 1 : 0)
}

/** The first `apart` of them stay by themselves. */
function withOldestAsOne(periods: readonly Period[], apart: number): Period[] {
  const tooMany = periods.length - MOST_PERIODS
  const [first, last] = [periods[apart], periods[apart + tooMany]]
  if (tooMany <= 0 || !first || !last) return [...periods]
  const oldest = { start: first.start, end: last.end }
  return [...periods.slice(0, apart), oldest, ...periods.slice(apart + tooMany + 1)]
}
