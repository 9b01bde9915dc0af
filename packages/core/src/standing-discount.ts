import { type Discount, discountsAt } from './discount.ts'
import type { Instant } from './instant.ts'

/** A discount as it stands at the provider, whoever gave it. */
export interface StandingDiscount {
  /** What it is taken off: one item of a subscription, all of it, or all subscriptions of the customer without their own. */
  readonly scope: 'item' | 'subscription' | 'customer'
  /** Of an item's: the provider's item, and the price of that. Null of the others. */
  readonly item: { readonly id: string; readonly price: string } | null
  /** The provider's products that it is good for; empty for all. */
  readonly products: readonly string[]
  readonly terms: Discount
}

/**
 * Of those that stand for a subscription and its customer, what is taken off at a moment, in the order in which it is: those
 * of items first, then the subscription's own. Only a subscription without any of its own has the customer's.
 * https://docs.stripe.com/billing/subscriptions/coupons
 */
export function discountsTakenOff(standing: readonly StandingDiscount[], at: Instant): StandingDiscount[] {
  const running = standing.filter(({ terms }) => discountsAt([terms], at).length > 0)
  const of = (scope: StandingDiscount['scope']) => running.filter((one) => one.scope === scope)
  const own = of('subscription')
  return [...of('item'), ...(own.length > 0 ? own : of('customer'))]
}
