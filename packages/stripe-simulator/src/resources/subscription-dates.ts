import { rhythmOf } from '../billing/periods.ts'
import { invalid, type StripeError } from '../errors.ts'
import { integer, required, shape } from '../http/schema.ts'
import type { PriceRow, SubscriptionRow } from '../rows.ts'
import { addMonths } from '../rules/billing-cycle.ts'

const DAY = 86_400
const TRIAL_DAYS_MAX = 730
const YEARS_AHEAD_MAX = 5

export const anchorConfig = shape({
  day_of_month: required(integer({ min: 1, max: 31 })),
  month: integer({ min: 1, max: 12 }),
  hour: integer({ min: 0, max: 23 }),
  minute: integer({ min: 0, max: 59 }),
  second: integer({ min: 0, max: 59 }),
})

type AnchorConfig = ReturnType<typeof anchorConfig.parse>

interface DatesGiven {
  readonly backdate_start_date?: number | undefined
  readonly billing_cycle_anchor?: number | undefined
  readonly billing_cycle_anchor_config?: AnchorConfig | undefined
  readonly trial_end?: number | 'now' | undefined
  readonly trial_period_days?: number | undefined
  readonly trial_from_plan?: boolean | undefined
  readonly trial_settings?: { end_behavior: { billing_cycle_anchor?: string | undefined } } | undefined
}

interface Dates {
  /** Where the subscription begins, which may be past. */
  readonly start: number
  readonly trialEnd: number | null
  readonly anchor: number
  readonly config: SubscriptionRow['billing_cycle_anchor_config']
}

/** The dates of a new subscription: its start, the end of its trial, and where its cycle counts from. */
export function datesOf(
  given: DatesGiven,
  prices: readonly PriceRow[],
  now: number,
  flexible: boolean,
): Dates {
  const start = startOf(given.backdate_start_date, now)
  const asked = anchorAsked(given, prices, now)
  const trialEnd = trialEndOf(given, prices, now, asked ?? now)
  const atTrialEnd = given.trial_settings?.end_behavior.billing_cycle_anchor
  const config = given.billing_cycle_anchor_config
  return {
    start,
    trialEnd,
    anchor: anchorOf(asked, trialEnd, atTrialEnd, flexible ? start : now),
    config: config === undefined ? null : { hour: null, minute: null, month: null, second: null, ...config },
  }
}

/**
 * The anchor asked for; with a trial its end, unless that leaves the anchor `unchanged`; else the start, to
 * which flexible billing also aligns a subscription begun in the past.
 * https://docs.stripe.com/billing/subscriptions/billing-mode/compare#backdate-subscriptions
 */
function anchorOf(
  asked: number | undefined,
  trialEnd: number | null,
  atTrialEnd: string | undefined,
  start: number,
): number {
  if (trialEnd === null) return asked ?? start
  if (atTrialEnd === 'now') return trialEnd
  return asked ?? (atTrialEnd === 'unchanged' ? start : trialEnd)
}

function startOf(backdated: number | undefined, now: number): number {
  if (backdated === undefined) return now
  if (backdated > now) throw invalid('backdate_start_date must be in the past.', 'backdate_start_date')
  return backdated
}

function anchorAsked(given: DatesGiven, prices: readonly PriceRow[], now: number): number | undefined {
  const { billing_cycle_anchor: anchor, billing_cycle_anchor_config: config } = given
  if (config !== undefined) {
    if (anchor !== undefined) {
      throw invalid(
        'You may only specify one of these parameters: billing_cycle_anchor, billing_cycle_anchor_config.',
        'billing_cycle_anchor_config',
      )
    }
    if (prices.some((price) => !['month', 'year'].includes(rhythmOf(price).interval))) {
      throw invalid(
        'billing_cycle_anchor_config is only valid with monthly and yearly prices.',
        'billing_cycle_anchor_config',
      )
    }
    return nextOccurrence(config, now)
  }
  if (anchor !== undefined && anchor <= now) {
    throw invalid('billing_cycle_anchor must be in the future.', 'billing_cycle_anchor')
  }
  return anchor
}

/**
 * The next such day, in UTC; parts of the time that are left out are those of now. The 31st of a shorter
 * month is its last day. https://docs.stripe.com/api/subscriptions/create
 */
function nextOccurrence(
  { day_of_month: day, month, hour, minute, second }: AnchorConfig,
  now: number,
): number {
  const present = new Date(now * 1000)
  const first =
    Date.UTC(
      present.getUTCFullYear(),
      present.getUTCMonth(),
      1,
      hour ?? present.getUTCHours(),
      minute ?? present.getUTCMinutes(),
      second ?? present.getUTCSeconds(),
    ) / 1000
  for (let months = 0; months <= 12; months++) {
    const candidate = addMonths(first, months, day)
    const fits = month === undefined || new Date(candidate * 1000).getUTCMonth() + 1 === month
    if (fits && candidate > now) return candidate
  }
  throw new Error('a year has every month')
}

/** The end of the trial: a date, some days, or what the prices bring, the longest of them. */
function trialEndOf(
  given: DatesGiven,
  prices: readonly PriceRow[],
  now: number,
  anchor: number,
): number | null {
  const { trial_end: end, trial_period_days: days, trial_from_plan: fromPlan } = given
  if (end !== undefined && days !== undefined) {
    throw invalid('You may only specify one of these parameters: trial_end, trial_period_days.', 'trial_end')
  }
  refuseTwoTrials(end ?? days, fromPlan)
  if (days !== undefined) return now + days * DAY
  if (end === undefined) return fromPlan === true ? planTrialEnd(prices, now) : null
  if (end === 'now') return null
  checkTrialEnd(end, now, anchor, 'trial_end')
  return end
}

/** A trial that is asked for, and one that the prices bring. */
export function refuseTwoTrials(asked: unknown, fromPlan: boolean | undefined): void {
  if (asked === undefined || fromPlan !== true) return
  throw invalid('You cannot set `trial_end` or `trial_period_days` when `trial_from_plan=true`.')
}

/**
 * In the future, and "at most two years from `billing_cycle_anchor`", which of a subscription that runs may be long past. The
 * sentences were told by those who met them: github.com/forwardemail/forwardemail.net helpers, and in a comment of 10 September 2026.
 */
export function checkTrialEnd(end: number, now: number, anchor: number, param: string): void {
  if (end <= now) throw pastTrialEnd(end, param)
  if (end > addMonths(now, YEARS_AHEAD_MAX * 12)) {
    throw invalid('Invalid timestamp: can be no more than five years in the future.', param)
  }
  if (end > Math.max(anchor, now) + TRIAL_DAYS_MAX * DAY) {
    throw invalid('The maximum number of trial period days is 730 (2 years).', param)
  }
}

function pastTrialEnd(end: number, param: string): StripeError {
  return invalid(
    `The parameter \`${param}\` expects a unix timestamp representing a date and time in the future. You specified the value \`${end}\` which is in the past.`,
    param,
  )
}

/** Also of an update with `trial_from_plan`; null when none of the prices brings a trial. */
export function planTrialEnd(prices: readonly PriceRow[], now: number): number | null {
  const days = Math.max(0, ...prices.map((price) => price.recurring?.trial_period_days ?? 0))
  return days === 0 ? null : now + days * DAY
}

/**
 * In classic billing no trial reaches over an end that is planned for a moment; flexible billing leaves it alone.
 * https://docs.stripe.com/billing/subscriptions/billing-mode/compare#preserve-original-trial-end-date-when-subscription-cancels
 */
export function cutTrial<T extends number | null | undefined>(
  { type }: SubscriptionRow['billing_mode'],
  trialEnd: T,
  cancelAt: number | null,
): T | number {
  if (type === 'flexible' || trialEnd == null || cancelAt === null) return trialEnd
  return Math.min(trialEnd, cancelAt)
}
