import type { Quantity } from './quantity.ts'

export const limitOwners = ['customer', 'operator'] as const

/**
 * Whose wish a limit is: the customer's own, or that of whoever runs the application. Each holds by itself and is
 * changed by its owner alone, so neither loosens what the other has set.
 */
export type LimitOwner = (typeof limitOwners)[number]

/**
 * What a customer's usage may come to in one billing period of a subscription, or where it shall be told of. Amounts
 * are in the currency's minor unit, quantities in 1e-9 of the meter's unit; a percentage is of the cap.
 */
export interface SpendLimit {
  readonly id: string
  readonly owner: LimitOwner
  /** Whose quantity is limited; null: what all usage costs, before shares, fees, discounts and tax. */
  readonly meter: string | null
  /** Of an amount. Where the subscription has another currency, the limit does not hold. */
  readonly currency: string | null
  /** When so much is reached, the application is told that the feature is used up; null for alerts only. */
  readonly cap: bigint | null
  readonly alerts: readonly bigint[]
  readonly alertPercents: readonly number[]
}

export type ThresholdKind = 'alert' | 'cap'

/** A figure that is told of once in a period, when it is reached. */
export interface Threshold {
  readonly kind: ThresholdKind
  readonly at: bigint
}

/** What a period of a subscription has come to so far. */
export interface Spending {
  readonly currency: string
  /** Of all usage, in the minor unit. */
  readonly amount: bigint
  /** By meter, of those that the plan prices: the others are limited by what the plan grants of them. */
  readonly quantities: ReadonlyMap<string, Quantity>
}

/** Every figure that a limit tells of, each once, the smallest first; the cap after an alert at the same figure. */
export function thresholdsOf({ cap, alerts, alertPercents }: SpendLimit): Threshold[] {
  const shares = cap === null ? [] : alertPercents.map((percent) => shareOf(cap, percent))
  const figures = [...new Set([...alerts, ...shares])].toSorted((a, b) => (a < b ? -1 : 1))
  const told = figures.map((at): Threshold => ({ kind: 'alert', at }))
  const at = cap === null ? -1 : figures.findLastIndex((figure) => figure <= cap)
  return cap === null ? told : told.toSpliced(at + 1, 0, { kind: 'cap', at: cap })
}

/** Of a cap above zero: the least whole figure that is no less than so many hundredths. */
const shareOf = (cap: bigint, percent: number): bigint => (cap * BigInt(percent) + 99n) / 100n

/** How far a limit is used; undefined where it does not hold: another currency, or a meter without a price. */
export function spentOf({ meter, currency }: SpendLimit, spending: Spending): bigint | undefined {
  if (meter !== null) return spending.quantities.get(meter)
  return currency === spending.currency ? spending.amount : undefined
}

/** The figures of a limit that are reached, whatever was told of them before. */
export function reached(limit: SpendLimit, spending: Spending): Threshold[] {
  const spent = spentOf(limit, spending)
  return spent === undefined ? [] : thresholdsOf(limit).filter(({ at }) => at <= spent)
}

/** A cap that a metered feature comes under. */
export interface FeatureCap {
  readonly limit: string
  /** Of the feature's own meter, inclusive; null where an amount is capped. */
  readonly upTo: Quantity | null
  readonly isReached: boolean
}

/** The caps on what is measured by a meter. One of an amount concerns only meters whose use costs something. */
export function capsOn(meter: string, limits: readonly SpendLimit[], spending: Spending): FeatureCap[] {
  if (!spending.quantities.has(meter)) return []
  return limits.flatMap((limit) => {
    const spent = spentOf(limit, spending)
    if (limit.cap === null || spent === undefined) return []
    if (limit.meter !== null && limit.meter !== meter) return []
    return [{ limit: limit.id, upTo: limit.meter === null ? null : limit.cap, isReached: spent >= limit.cap }]
  })
}
