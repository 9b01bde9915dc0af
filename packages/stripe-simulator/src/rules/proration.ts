import { divideRounded, PICOS } from './decimal.ts'

export interface Period {
  readonly start: number
  readonly end: number
}

/**
 * The part of an amount that belongs to the time from `at` to the end of the period, to the second,
 * rounded once. https://docs.stripe.com/billing/subscriptions/prorations
 */
export function remaining(picos: bigint, period: Period, at: number): number {
  const whole = BigInt(period.end - period.start)
  const left = BigInt(period.end - at)
  return Number(divideRounded(picos * left, whole * PICOS))
}

/** The same of an amount that is already money. */
export function remainingOf(amount: number, period: Period, at: number): number {
  return Number(divideRounded(BigInt(amount) * BigInt(period.end - at), BigInt(period.end - period.start)))
}
