import { type BillingCycle, type Interval, periodContaining } from './billing-cycle.ts'
import type { Instant } from './instant.ts'
import type { Period } from './period.ts'
import type { Plan } from './plan.ts'

type Rhythms = Pick<Plan, 'interval' | 'intervalCount' | 'usageInterval' | 'usageIntervalCount'>

const MONTHS: Readonly<Record<Interval, number>> = { day: 0, week: 0, month: 1, year: 12 }
const DAYS: Readonly<Record<Interval, number>> = { day: 1, week: 7, month: 0, year: 0 }

/** Stripe's longest interval of pending items is a year. https://docs.stripe.com/api/subscriptions/create */
const MOST_MONTHS = 12
const MOST_DAYS = 364

/**
 * The cycle by which a plan's usage is billed: one of its own (months of an annual plan), or the fees'. It counts
 * from the same anchor, so that where a whole number of its periods is one of the fees', both end together:
 * in short months and leap years too.
 */
export function usageCycleOf(plan: Rhythms, anchor: Instant): BillingCycle {
  const { interval, intervalCount, usageInterval, usageIntervalCount } = plan
  if (usageInterval === null) return { anchor, interval, intervalCount }
  return { anchor, interval: usageInterval, intervalCount: usageIntervalCount ?? 1 }
}

/**
 * The stretch of usage that `at` is in, within the period that the provider's fees are paid for. What lies
 * outside of that period (a clock that goes differently, a renewal that is not seen yet) counts to its nearest
 * stretch; one that the paid period cuts is as long as what is left of it. A trial is one stretch.
 */
export function usagePeriodAt(
  paid: Period,
  at: Instant,
  { cycle, trialEnd }: { readonly cycle: BillingCycle; readonly trialEnd: Instant | null },
): Period {
  if (trialEnd !== null && paid.start < trialEnd) return paid
  const { start, end } = periodContaining(cycle, Math.max(paid.start, Math.min(at, paid.end - 1)))
  return { start: Math.max(start, paid.start), end: Math.min(end, paid.end) }
}

/** Why usage cannot be billed in this rhythm, if it cannot: the fees' period is more than one of its, and whole ones. */
export function usageIntervalFault({
  interval,
  intervalCount,
  usageInterval,
  usageIntervalCount,
}: Rhythms): string | undefined {
  if (usageInterval === null) return undefined
  const count = usageIntervalCount ?? 1
  const [months, days] = [MONTHS[usageInterval] * count, DAYS[usageInterval] * count]
  if (months > MOST_MONTHS || days > MOST_DAYS) return 'Usage is billed at least once a year.'
  const [feeMonths, feeDays] = [MONTHS[interval] * intervalCount, DAYS[interval] * intervalCount]
  const fits =
    months > 0 ? feeMonths > months && feeMonths % months === 0 : feeDays > days && feeDays % days === 0
  return fits
    ? undefined
    : 'Usage is billed more often than the fees, and a whole number of times in their period: months in years, days in weeks.'
}
