import type Stripe from 'stripe'

/** What Stripe shows of a coupon only where it is asked for: the products that it is good for, and its amounts in other currencies. */
export const couponParts = [
  'applies_to',
  'currency_options',
] as const satisfies readonly (keyof Stripe.Coupon)[]

/** Whether it was asked for with all of that. */
export function isWhole(coupon: Stripe.Coupon): boolean {
  return couponParts.every((part) => part in coupon)
}
