import { couponDurations } from '@lockstep/core/coupon'
import type { Discount, DiscountDuration, DiscountOff } from '@lockstep/core/discount'
import { formatInstant } from '@lockstep/core/instant'
import type Stripe from 'stripe'
import { fromStripeAmount } from './amount.ts'
import { present } from './field.ts'

/** What of a coupon's id is ours: the key that the catalogue has for it, if any. */
export type CouponKeys = ReadonlyMap<string, string>

/** The coupon of a discount that was expanded with it. */
export function couponOf({ id, source }: Stripe.Discount): Stripe.Coupon {
  const { coupon } = source
  if (coupon === null || typeof coupon === 'string')
    throw new Error(`Discount ${id} came without its coupon.`)
  return coupon
}

/**
 * A discount as a contract says it. What it takes off is an amount of the currency in which its owner pays, where the
 * coupon has one of that.
 */
export function toDiscount(discount: Stripe.Discount, keys: CouponKeys, currency: string | null): Discount {
  const coupon = couponOf(discount)
  const { start, end } = discount
  return {
    name: coupon.name ?? coupon.id,
    coupon: keys.get(coupon.id) ?? null,
    off: offIn(coupon, currency) ?? offOf(coupon),
    duration: durationOf(coupon),
    start: formatInstant(start),
    end: end === null ? null : formatInstant(end),
  }
}

/** The products that a discount is good for, of one that was expanded with them; empty for all. */
export function toProducts(discount: Stripe.Discount): readonly string[] {
  return couponOf(discount).applies_to?.products ?? []
}

/** https://docs.stripe.com/api/coupons/object#coupon_object-currency_options */
function offIn(
  { currency_options: options }: Stripe.Coupon,
  currency: string | null,
): DiscountOff | undefined {
  const amount = currency === null ? undefined : options?.[currency]?.amount_off
  if (amount === undefined || currency === null) return undefined
  return { kind: 'amount', minor: `${fromStripeAmount(amount, currency).minor}`, currency }
}

export function offOf({
  id,
  percent_off: percent,
  amount_off: amount,
  currency,
}: Stripe.Coupon): DiscountOff {
  if (percent !== null) return { kind: 'percent', percent: `${percent}` }
  if (amount === null || currency === null) throw new Error(`Coupon ${id} takes off nothing.`)
  return { kind: 'amount', minor: `${fromStripeAmount(amount, currency).minor}`, currency }
}

/** A way to last that we do not know yet is not guessed. */
export function durationOf(coupon: Stripe.Coupon): DiscountDuration {
  const { id, duration, duration_in_months: months } = coupon
  const known = couponDurations.find((one) => one === duration)
  if (known === undefined) throw new Error(`Coupon ${id} lasts for ${duration}, which no version here knows.`)
  if (known !== 'repeating') return { kind: known }
  return { kind: known, months: present(months ?? undefined, `${id}.duration_in_months`) }
}
