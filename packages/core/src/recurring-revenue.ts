import type { SoldAddon } from './addon.ts'
import type { Interval } from './billing-cycle.ts'
import { type ItemNumbers, ofAddon } from './item-numbers.ts'
import { type Currency, type Money, sum } from './money.ts'
import type { Plan } from './plan.ts'
import type { Timing } from './price.ts'
import { feesOf } from './pricing/price-fee.ts'
import type { SubscriptionStatus } from './subscription.ts'
import type { Collection } from './subscription-history.ts'

/** A positive share, exact. */
export interface Fraction {
  readonly numerator: bigint
  readonly denominator: bigint
}

/**
 * How much of one billing interval's fee belongs to a month: a year has 12 months and 365 days, so a
 * month is 365/12 days, and a week 7. Exact: nothing is rounded before everything is added up.
 */
export function monthlyShare(interval: Interval, intervalCount: number): Fraction {
  const count = BigInt(intervalCount)
  switch (interval) {
    case 'day':
      return { numerator: 365n, denominator: 12n * count }
    case 'week':
      return { numerator: 365n, denominator: 84n * count }
    case 'month':
      return { numerator: 1n, denominator: count }
    case 'year':
      return { numerator: 1n, denominator: 12n * count }
  }
}

/**
 * What a plan costs for one interval at a quantity, before discounts and tax; usage is not in it. An
 * amount that is paid in a fixed number of instalments is no recurring revenue.
 */
export function recurringRevenue(
  { prices, currency, payments }: Pick<Plan, 'prices' | 'currency' | 'payments'>,
  quantity: number,
  itemNumbers?: ItemNumbers,
): Money {
  const recurring = payments === null ? prices.filter(({ kind }) => kind === 'recurring') : []
  const of = (timing: Timing) => recurring.filter((price) => price.timing === timing)
  // One in arrears is sold once, as the plan is.
  return sum(currency, [...feesOf(of('inAdvance'), quantity, itemNumbers), ...feesOf(of('inArrears'), 1)])
}

/** What add-ons cost for one interval of their plan, before discounts and tax. */
export function addonRevenue(
  addons: readonly SoldAddon[],
  currency: Currency,
  itemNumbers: ItemNumbers = {},
): Money {
  return sum(
    currency,
    addons.map(({ addon, quantity }) =>
      recurringRevenue({ ...addon, payments: null }, quantity, ofAddon(addon.key, itemNumbers)),
    ),
  )
}

/**
 * Whether a subscription's fee counts: it is paid, or owed and being collected. A trial does not count
 * until it is over, and neither does what is given away while collection is paused.
 */
export function earns(status: SubscriptionStatus, collection: Collection): boolean {
  const isOwed = status === 'active' || status === 'past_due'
  return isOwed && collection !== 'void' && collection !== 'markUncollectible'
}

/**
 * Whole weights for the fees of different intervals: the fee times its weight, divided by `scale`, is
 * its share of a month. So sums of any size stay whole numbers until they are divided once.
 */
export function weightsOf(
  rhythms: readonly { readonly interval: Interval; readonly intervalCount: number }[],
): {
  readonly scale: bigint
  readonly weights: readonly {
    readonly interval: Interval
    readonly intervalCount: number
    readonly weight: bigint
  }[]
} {
  const shares = rhythms.map((rhythm) => ({
    ...rhythm,
    ...monthlyShare(rhythm.interval, rhythm.intervalCount),
  }))
  const scale = shares.reduce((least, { denominator }) => leastCommonMultiple(least, denominator), 1n)
  return {
    scale,
    weights: shares.map(({ interval, intervalCount, numerator, denominator }) => ({
      interval,
      intervalCount,
      weight: (numerator * scale) / denominator,
    })),
  }
}

/** A weighted sum as money, rounded once: half away from zero. */
export function monthlyMoney(weighted: bigint, scale: bigint, currency: Currency): Money {
  const twice = 2n * weighted + (weighted < 0n ? -scale : scale)
  return { minor: twice / (2n * scale), currency }
}

function leastCommonMultiple(a: bigint, b: bigint): bigint {
  let [x, y] = [a, b]
  while (y !== 0n) [x, y] = [y, x % y]
  return (a / x) * b
}
