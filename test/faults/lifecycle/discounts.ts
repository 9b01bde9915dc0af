// Coupons in the model: https://docs.stripe.com/billing/subscriptions/coupons
import { months } from './calendar.ts'
import { type CouponKey, coupons } from './plans.ts'

/** One that was redeemed for a subscription. */
export interface Given {
  readonly coupon: CouponKey
  /** The first second without it, of one that repeats for some months. */
  readonly end: number | null
}

export function given(coupon: CouponKey, now: number): Given {
  const { duration } = coupons[coupon]
  return { coupon, end: duration === 'repeating' ? months(now, coupons[coupon].durationInMonths) : null }
}

export function running(discounts: readonly Given[], now: number): readonly Given[] {
  return discounts.filter(({ end }) => end === null || end > now)
}

/** Each takes its part of what those before it left, in whole cents. */
export function lessDiscounts(cents: number, discounts: readonly Given[], now: number): number {
  return running(discounts, now).reduce((left, { coupon }) => {
    const off = (left * Number(coupons[coupon].percentOff)) / 100
    if (off % 1 === 0.5) throw new Error(`Stripe does not say where half a cent of ${left} goes.`)
    return left - Math.round(off)
  }, cents)
}

/** An invoice, with what stood when it was made. */
export interface Carrying {
  /** Cents before anything is taken off. */
  readonly subtotal: number
  readonly carried: readonly Given[]
}

/** What is good for one invoice is used by the first final one that carries it and has an amount, however it is settled. */
export function usedBy(discounts: readonly Given[], { subtotal, carried }: Carrying): readonly Given[] {
  if (subtotal <= 0) return discounts
  return discounts.filter((one) => coupons[one.coupon].duration !== 'once' || !carried.includes(one))
}
