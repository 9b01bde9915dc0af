import { assert } from '@lockstep/core/assert'
import { type BillingCycle, periodContaining } from '@lockstep/core/billing-cycle'
import type { Instant } from '@lockstep/core/instant'
import type { Period } from '@lockstep/core/period'

/** No outage and no test clock skips more periods than this at once. */
const MOST_PERIODS = 1_000

export interface Rhythm {
  readonly cycle: BillingCycle
  /** The end of the trial, which is a period of its own; null without one. */
  readonly trialEnd: Instant | null
}

/**
 * The periods from `from` on up to the provider's current one, itself last. What lies between is
 * counted from the anchor, so that after an outage of months each period has its invoice and none has
 * two. They tile: each begins where the one before it ends.
 */
export function periodsFrom(from: Instant, current: Period, { cycle, trialEnd }: Rhythm): Period[] {
  const periods: Period[] = []
  let start = from
  while (start < current.start) {
    const natural = trialEnd !== null && start < trialEnd ? trialEnd : periodContaining(cycle, start).end
    // The provider's period is the truth: where the cycle was reset, the one before it ends early.
    const end = Math.min(natural, current.start)
    periods.push({ start, end })
    assert(periods.length <= MOST_PERIODS, `more than ${MOST_PERIODS} periods at once`)
    start = end
  }
  return [...periods, { start, end: Math.max(start, current.end) }]
}
