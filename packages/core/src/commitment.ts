import { type BillingCycle, wholePeriodOf } from './billing-cycle.ts'
import type { Instant } from './instant.ts'
import type { Period } from './period.ts'

/** For how much of a whole period a plan's minimum is promised. */
export interface Commitment {
  readonly time: Period
  readonly whole: Period
}

/** A subscription made at the provider is heard of within this time; one taken up later had a life before. */
const HEARD_OF_WITHIN = 86_400

/** What a period is when it opens. It stays so, whatever becomes of its subscription. */
export interface PeriodTerms {
  readonly inTrial: boolean
  /** Where the whole period ends that it is, or is a part of. */
  readonly wholeEnd: Instant
  /** Since when the plan's minimum is promised; at its end or later: not in this period. */
  readonly promisedFrom: Instant
}

export interface PeriodOpening {
  readonly cycle: BillingCycle
  readonly trial: Period | null
  /** Where the provider's own current period starts. */
  readonly currentStart: Instant
  /** It was paused until now: the provider had no period up to its current one. */
  readonly wasPaused: boolean
  /** Since when we have it, where it was made elsewhere; null where it began with us. */
  readonly takenUp: { readonly startedAt: Instant; readonly at: Instant } | null
}

export function termsOf(period: Period, opening: PeriodOpening): PeriodTerms {
  const { cycle, trial, currentStart, wasPaused, takenUp } = opening
  const served = wasPaused ? Math.max(period.start, currentStart) : period.start
  const hasLivedBefore = takenUp !== null && takenUp.at - takenUp.startedAt > HEARD_OF_WITHIN
  return {
    inTrial: startsIn(period, trial) && !isBetweenTrials(period, opening),
    wholeEnd: wholePeriodOf(period, cycle).end,
    promisedFrom: hasLivedBefore ? Math.max(served, takenUp.at) : served,
  }
}

/** A later trial may carry the start of the first: what was paid between the two is in neither. */
function isBetweenTrials({ start }: Period, { trial, currentStart }: PeriodOpening): boolean {
  return trial !== null && trial.start < start && start < currentStart && currentStart < trial.end
}

/** A trial is a period of its own at the provider: what starts in it ends with it. */
export function startsIn({ start }: Period, trial: Period | null): boolean {
  return trial !== null && trial.start <= start && start < trial.end
}
