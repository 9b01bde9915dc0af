import type { Interval } from './billing-cycle.ts'
import { type Grant, type GrantJson, grantFromJson, grantToJson } from './feature.ts'
import type { Instant } from './instant.ts'
import type { Currency } from './money.ts'
import type { Period } from './period.ts'
import { type Price, type PriceJson, priceFromJson, priceToJson } from './price.ts'

export const audiences = ['public', 'admin', 'legacy'] as const

/** Who may choose a plan: customers, only the operator, or nobody any more. */
export type Audience = (typeof audiences)[number]

/** Usage during the trial is shown at 0, or billed like any other. */
export type TrialUsage = 'free' | 'billed'

interface PlanTerms {
  readonly key: string
  readonly name: string
  readonly audience: Audience
  readonly product: string
  readonly currency: Currency
  readonly interval: Interval
  readonly intervalCount: number
  /** How often what Lockstep rates is billed, more often than the fees; null where it is billed with them. */
  readonly usageInterval: Interval | null
  readonly usageIntervalCount: number | null
  /** 0 for none. */
  readonly trialDays: number
  readonly trialUsage: TrialUsage
  /** The plan that its subscribers go on to, on a schedule; null for none. */
  readonly rollsInto: string | null
  /** How it is bought: the key of a purchase strategy. */
  readonly purchase: string
  /** A fixed number of payments, one each period; null for as many as there are periods. */
  readonly payments: number | null
}

/** Our named bundle of prices and features. A plan that is sold never changes: a change makes a new version. */
export interface Plan extends PlanTerms {
  /** In the order of the catalogue, which is the order on the invoice. */
  readonly prices: readonly Price[]
  /** By feature. */
  readonly grants: readonly Grant[]
}

type UsageInterval = Pick<PlanTerms, 'usageInterval' | 'usageIntervalCount'>

/**
 * The plan as it is stored and hashed: integers as decimal text, keys always in one order. Nothing stands for
 * usage that is billed with the fees, so that such a plan is written as it was before there was any other.
 */
export interface PlanJson extends Omit<PlanTerms, keyof UsageInterval>, Partial<UsageInterval> {
  readonly prices: readonly PriceJson[]
  readonly grants: readonly GrantJson[]
}

/** Equal plans give equal text under JSON.stringify: a hash of it tells whether a plan has changed. */
export function planToJson(plan: Plan): PlanJson {
  const { usageInterval, usageIntervalCount, ...terms } = planTerms(plan)
  return {
    ...terms,
    ...(usageInterval !== null && { usageInterval, usageIntervalCount }),
    prices: plan.prices.map(priceToJson),
    grants: plan.grants.map(grantToJson),
  }
}

/** Reads what {@link planToJson} wrote, here or in a store of ours. */
export function planFromJson(json: PlanJson): Plan {
  return {
    ...planTerms(json),
    prices: json.prices.map(priceFromJson),
    grants: json.grants.map(grantFromJson),
  }
}

type GivenTerms = Omit<PlanTerms, keyof UsageInterval> & Partial<UsageInterval>

function planTerms({ key, name, audience, product, currency, interval, ...rest }: GivenTerms): PlanTerms {
  const { intervalCount, trialDays, trialUsage, rollsInto, purchase, payments } = rest
  const { usageInterval = null, usageIntervalCount = null } = rest
  return {
    key,
    name,
    audience,
    product,
    currency,
    interval,
    intervalCount,
    usageInterval,
    usageIntervalCount,
    trialDays,
    trialUsage,
    rollsInto,
    purchase,
    payments,
  }
}

const SECONDS_PER_DAY = 86_400

/** The trial of a subscription that starts now; its end becomes the billing anchor. */
export function trialOf({ trialDays }: Pick<Plan, 'trialDays'>, startedAt: Instant): Period | null {
  return trialDays === 0 ? null : { start: startedAt, end: startedAt + trialDays * SECONDS_PER_DAY }
}

/**
 * Why usage of a period costs nothing, if it does. A trial is a period of its own at the provider,
 * so a period lies in a trial or outside it, never across its end.
 */
export function freeReason({ trialUsage }: Pick<Plan, 'trialUsage'>, inTrial: boolean): 'trial' | undefined {
  return inTrial && trialUsage === 'free' ? 'trial' : undefined
}
