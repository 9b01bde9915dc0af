import { assert } from './assert.ts'
import { parseDecimal } from './decimal.ts'
import { divideRounded } from './divide.ts'

// What discounts take off an invoice, as Stripe does it. Amounts are counted in the smallest unit that it rounds to.
// https://docs.stripe.com/billing/subscriptions/coupons

/** A line as discounts see it. */
export interface DiscountableLine {
  readonly amount: bigint
  /** False of prorations, in whose amount the discount is already, and of credits. */
  readonly discountable: boolean
  /** The provider's product; null of a line that names none. */
  readonly product: string | null
  /** The provider's item of the subscription that the line bills; null of every other line. */
  readonly item: string | null
}

export interface DiscountToShare {
  readonly off:
    | { readonly kind: 'amount'; readonly amount: bigint }
    /** In percent, as decimal text. */
    | { readonly kind: 'percent'; readonly percent: string }
  /** The products that it is good for; empty for all. */
  readonly products: readonly string[]
  /** The only item that it is taken off, if it is one's. */
  readonly item: string | null
}

export interface SharedDiscounts {
  /** What each discount takes off, in the order in which they were given. */
  readonly taken: readonly bigint[]
  /** What each discount was taken off: what was left of its lines. */
  readonly of: readonly bigint[]
  /** What is left of each line. */
  readonly left: readonly bigint[]
}

/**
 * Takes discounts off, one after the other, each on what the ones before it left; never more than there is. Those of
 * items come first, as they are given. What one takes off is rounded once, half up, and shared out over its lines in
 * proportion: each share is rounded down, and the last line has the rest. So 5.00 off lines of 10.00 and 20.00 is 1.66
 * and 3.34. https://docs.stripe.com/billing/subscriptions/billing-mode/compare
 */
export function shareDiscounts(
  lines: readonly DiscountableLine[],
  discounts: readonly DiscountToShare[],
): SharedDiscounts {
  const left = lines.map(({ amount }) => amount)
  const of: bigint[] = []
  const taken = discounts.map((discount) => {
    const own = lines.flatMap((line, i) => (isGoodFor(discount, line) && (left[i] ?? 0n) > 0n ? [i] : []))
    const base = own.reduce((sum, i) => sum + (left[i] ?? 0n), 0n)
    const off = offOf(discount, base)
    of.push(base)
    let rest = off
    for (const [place, i] of own.entries()) {
      const before = left[i] ?? 0n
      const share = place === own.length - 1 ? rest : (off * before) / base
      rest -= share
      left[i] = before - share
    }
    return off
  })
  return { taken, of, left }
}

function isGoodFor({ products, item }: DiscountToShare, line: DiscountableLine): boolean {
  if (!line.discountable || (item !== null && item !== line.item)) return false
  return products.length === 0 || (line.product !== null && products.includes(line.product))
}

/** Percentages have at most as many decimals. */
const PERCENT_DIGITS = 12

function offOf({ off }: DiscountToShare, base: bigint): bigint {
  if (off.kind === 'amount') return off.amount < base ? off.amount : base
  const percent = parseDecimal(off.percent, PERCENT_DIGITS)
  assert(percent !== undefined, 'a percentage is decimal text')
  return divideRounded(base * percent, 100n * 10n ** BigInt(PERCENT_DIGITS))
}
