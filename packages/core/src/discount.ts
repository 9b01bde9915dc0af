import { periodAt } from './billing-cycle.ts'
import { formatInstant, type Instant, parseInstant } from './instant.ts'
import { printedAmount } from './printed-amount.ts'

/** How long a discount is agreed for; Stripe's `duration` of a coupon. */
export type DiscountDuration =
  /** The first invoice only. */
  | { readonly kind: 'once' }
  | { readonly kind: 'repeating'; readonly months: number }
  | { readonly kind: 'forever' }

/** How much: an amount of money in its minor unit, or a part in percent, as decimal text. */
export type DiscountOff =
  | { readonly kind: 'amount'; readonly minor: string; readonly currency: string }
  | { readonly kind: 'percent'; readonly percent: string }

/** One discount that was agreed on. A contract has a list of them; each runs and ends by itself. */
export interface Discount {
  readonly name: string
  /** The coupon it came from, if any. */
  readonly coupon: string | null
  readonly off: DiscountOff
  readonly duration: DiscountDuration
  /** RFC 3339 in UTC, as everything in a contract is text that a person can read. */
  readonly start: string
  /** The first second without it; null for one that ends with an invoice or not at all. */
  readonly end: string | null
}

/**
 * The discount that begins at `start`. Months are calendar months counted from there: three of them
 * from 30 November end on 28 February.
 */
export function agreeDiscount(
  terms: Pick<Discount, 'name' | 'coupon' | 'off' | 'duration'>,
  start: Instant,
): Discount {
  const { duration } = terms
  const end =
    duration.kind === 'repeating'
      ? periodAt({ anchor: start, interval: 'month', intervalCount: duration.months }, 0).end
      : null
  return { ...terms, start: formatInstant(start), end: end === null ? null : formatInstant(end) }
}

/** Of an agreement's discounts, those that are in force at a moment. */
export function discountsAt(discounts: readonly Discount[], at: Instant): Discount[] {
  const instant = (text: string) => parseInstant(text) ?? Number.NaN
  return discounts.filter(({ start, end }) => instant(start) <= at && (end === null || at < instant(end)))
}

/** `10 % for 3 months from 2026-01-31T00:00:00Z until 2026-04-30T00:00:00Z`. */
export function describeDiscount({ off, duration, start, end }: Discount): string {
  const much = describeOff({ off })
  const long =
    duration.kind === 'repeating'
      ? `for ${duration.months} ${duration.months === 1 ? 'month' : 'months'}`
      : duration.kind === 'once'
        ? 'once'
        : 'for ever'
  return `${much} ${long} from ${start}${end === null ? '' : ` until ${end}`}`
}

/** `10 %`, `5.00 usd`. */
export function describeOff({ off }: Pick<Discount, 'off'>): string {
  if (off.kind === 'percent') return `${off.percent} %`
  return `${printedAmount({ minor: BigInt(off.minor), currency: off.currency })} ${off.currency}`
}
