import { amountOfTerms, type Terms } from './agreed-terms.ts'
import type { Interval } from './billing-cycle.ts'
import { type Plan, planToJson } from './plan.ts'
import { isBilledByProvider } from './price.ts'
import type { SubscriptionStatus } from './subscription.ts'

export const changeMoments = ['now', 'periodEnd'] as const

/** When a change takes effect: at once, or when the period that is paid for is over. */
export type ChangeMoment = (typeof changeMoments)[number]

export const changeDirections = ['upgrade', 'downgrade', 'level'] as const

/** To more or to less, for the customer's money; `level` costs the same as before. */
export type ChangeDirection = (typeof changeDirections)[number]

/** What the catalogue says of when changes take effect. */
export interface ChangePolicy {
  readonly upgrade: ChangeMoment
  readonly downgrade: ChangeMoment
}

/** Who pays more gets more at once; who pays less keeps what is paid for until it is over. */
export const defaultChangePolicy: ChangePolicy = { upgrade: 'now', downgrade: 'periodEnd' }

export interface PlanChange {
  readonly direction: ChangeDirection
  readonly takesEffect: ChangeMoment
  /** A whole new period begins in the moment of the change: what is left of the old one is credited. */
  readonly startsPeriod: boolean
}

export interface ChangeContext {
  readonly policy: ChangePolicy
  readonly status: SubscriptionStatus
  /** The trial ends with the change; it is kept otherwise, with its end. */
  readonly endsTrial: boolean
  /** Said by somebody who may: instead of what the policy says. */
  readonly when?: ChangeMoment | undefined
}

/**
 * How one agreement becomes another. During a trial nothing is paid for yet, so everything changes at
 * once and the trial stays as long as it was.
 */
export function planChange(from: Terms, to: Terms, context: ChangeContext): PlanChange {
  const { policy, status, endsTrial, when } = context
  const direction = directionOf(from, to)
  const isTrial = status === 'trialing'
  const byPolicy = direction === 'level' ? 'now' : policy[direction]
  const takesEffect = isTrial ? 'now' : (when ?? byPolicy)
  const mustStart = isTrial ? endsTrial : needsNewPeriod(from, to)
  return { direction, takesEffect, startsPeriod: takesEffect === 'now' && mustStart }
}

/**
 * A longer rhythm is more, whatever a month of it costs: it is paid for a longer time at once. Beginning
 * to pay is more and ceasing to is less, whatever the rhythm.
 */
export function directionOf(from: Terms, to: Terms): ChangeDirection {
  const before = amountOfTerms(from).minor
  const after = amountOfTerms(to).minor
  const bothPay = before > 0n && after > 0n
  const longer = bothPay ? secondsOf(to.plan) - secondsOf(from.plan) : 0
  if (longer !== 0) return longer > 0 ? 'upgrade' : 'downgrade'
  if (after === before) return 'level'
  return after > before ? 'upgrade' : 'downgrade'
}

/**
 * Whether a change in the middle of a period has to begin a new one: the rhythm is another; the first
 * payment is to be one for a whole period; or what is metered costs something else, and a period is
 * rated by one list of prices.
 */
function needsNewPeriod(from: Terms, to: Terms): boolean {
  if (secondsOf(from.plan) !== secondsOf(to.plan)) return true
  const beginsToPay = amountOfTerms(from).minor === 0n && amountOfTerms(to).minor > 0n
  return beginsToPay || !ratesAlike(from.plan, to.plan)
}

/** Whether a period that was begun on one plan may be rated by the other: what is not billed by number is equal, and as long. */
export function ratesAlike(one: Plan, other: Plan): boolean {
  return ratedPrices(one) === ratedPrices(other)
}

function ratedPrices(plan: Plan): string {
  const { prices, trialUsage, usageInterval, usageIntervalCount } = planToJson(plan)
  const rated = prices.filter((price) => !isBilledByProvider(price))
  return rated.length === 0 ? '' : JSON.stringify([trialUsage, rated, usageInterval, usageIntervalCount])
}

/**
 * Whether a change now may give back more of what was billed before than it charges, so that the provider is to be asked.
 * To more it never does while nothing is discounted, which may be the one and not the other, and both fees are known:
 * what stands is what the running time was billed with.
 */
export function mayGiveBack(
  from: Terms,
  to: Terms,
  { isDiscounted, isFeeKnown }: { readonly isDiscounted: boolean; readonly isFeeKnown: boolean },
): boolean {
  return isDiscounted || !isFeeKnown || amountOfTerms(to).minor < amountOfTerms(from).minor
}

const SECONDS_PER_DAY = 86_400
/** A twelfth of the Gregorian year of 365.2425 days: twelve months are a year. */
const SECONDS_PER_MONTH = 2_629_746

const seconds: Readonly<Record<Interval, number>> = {
  day: SECONDS_PER_DAY,
  week: 7 * SECONDS_PER_DAY,
  month: SECONDS_PER_MONTH,
  year: 12 * SECONDS_PER_MONTH,
}

/** How long a period of a plan is on average: for comparing rhythms, never for dates. */
function secondsOf({ interval, intervalCount }: Pick<Plan, 'interval' | 'intervalCount'>): number {
  return seconds[interval] * intervalCount
}

/**
 * Whether the plan of a subscription in this status may be changed. One that is not paid for is paid
 * first: Stripe credits unused time as if it had been, so that switching would turn a debt into credit.
 */
export function mayChangePlan(status: SubscriptionStatus): boolean {
  return status === 'active' || status === 'trialing'
}
