import type { Instant } from '@lockstep/core/instant'
import type { Period } from '@lockstep/core/period'
import { isTerminal, type SubscriptionStatus } from '@lockstep/core/subscription'
import { periodsFrom, type Rhythm } from './periods.ts'

/** The newest period of a subscription that has an invoice. */
export interface LastPeriod {
  readonly period: Period
  /** Its invoice takes the usage of this moment; otherwise it is closing or final. */
  readonly isCurrent: boolean
}

/** What the provider says of a subscription's time. */
export interface SubscriptionTime {
  readonly status: SubscriptionStatus
  readonly startedAt: Instant
  readonly endedAt: Instant | null
  readonly period: Period
  /** The trial that it is or was in; null without one, and where usage is billed within it. */
  readonly trial: Period | null
}

export interface PeriodChanges {
  /** The last period's true end; null if it stands. */
  readonly end: Instant | null
  readonly closes: boolean
  /** In order; the last one is current unless the subscription is over. */
  readonly opens: readonly Period[]
}

const nothing: PeriodChanges = { end: null, closes: false, opens: [] }

/**
 * How a subscription's invoices have to follow it. Periods are the provider's to decide: they may end
 * early (the cycle was reset, a trial was ended), late (a trial was extended), or several may have
 * passed since we looked.
 */
export function periodChanges(
  last: LastPeriod | undefined,
  subscription: SubscriptionTime,
  rhythm: Rhythm,
): PeriodChanges {
  const { status, startedAt, endedAt, period, trial } = subscription
  // Usage after the end of the subscription is nobody's.
  const over = isTerminal(status) ? (endedAt ?? period.end) : Number.POSITIVE_INFINITY
  const opensFrom = (from: Instant) =>
    periodsFrom(from, period, rhythm)
      .filter(({ start }) => start < over)
      .map(({ start, end }) => ({ start, end: Math.min(end, over) }))

  if (!last) return { ...nothing, opens: opensFrom(Math.min(startedAt, period.start)) }
  const advanced = period.start > last.period.start
  if (!last.isCurrent) {
    return advanced && period.start >= last.period.end
      ? { ...nothing, opens: opensFrom(last.period.end) }
      : nothing
  }
  const natural = advanced ? Math.min(ownEnd(last.period, trial), period.start) : period.end
  const end = Math.max(last.period.start, Math.min(natural, over))
  return {
    end: end === last.period.end ? null : end,
    closes: advanced || isTerminal(status),
    opens: advanced ? opensFrom(end) : [],
  }
}

/**
 * Where a period ended that was over before we looked. A trial that began in it took its place, however long it was: Stripe's period goes
 * from the trial's first second to its last (https://docs.stripe.com/billing/subscriptions/trials).
 */
function ownEnd(period: Period, trial: Period | null): Instant {
  if (trial === null || trial.start < period.start || trial.start >= period.end) return period.end
  return trial.start > period.start ? trial.start : trial.end
}

export function isNothing({ end, closes, opens }: PeriodChanges): boolean {
  return end === null && !closes && opens.length === 0
}
