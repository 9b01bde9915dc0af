import { downToStep } from './charge-step.ts'
import { type Discount, discountsAt } from './discount.ts'
import type { Instant } from './instant.ts'
import { type Currency, money } from './money.ts'

/** A discount as it stands at the provider, whoever gave it. */
export interface StandingDiscount {
  /** The provider's id of it. */
  readonly id: string
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
export function discountsTakenOff<D extends Pick<StandingDiscount, 'scope' | 'terms'>>(
  standing: readonly D[],
  at: Instant,
): D[] {
  const running = standing.filter(({ terms }) => discountsAt([terms], at).length > 0)
  const of = (scope: StandingDiscount['scope']) => running.filter((one) => one.scope === scope)
  const own = of('subscription')
  return [...of('item'), ...(own.length > 0 ? own : of('customer'))]
}

/** What an invoice has of one of the discounts of a subscription. */
export interface DiscountGiven {
  readonly invoiceId: string
  readonly discount: string
  /** What it took off, in the minor unit. */
  readonly minor: bigint
  /** The invoice was made when the subscription was over, of what was left of it. */
  readonly afterEnd: boolean
  /** The invoice is of another subscription of the customer, whose discount it is. */
  readonly elsewhere: boolean
}

/**
 * What an invoice has of these discounts that bills what is left of a subscription at its end, as the renewal would have
 * had them: one for a single invoice is not used again, by whichever subscription of the customer it was, and of an amount it
 * has what other invoices of the same end did not take, however many it takes. A part of an amount is given in whole steps
 * of what can be charged (`stepOf`, in the minor unit), rounded down, so that never more is taken off than was agreed: of
 * 0.323 dinars 0.320.
 */
export function discountsLeft(
  taken: readonly StandingDiscount[],
  given: readonly DiscountGiven[],
  stepOf: (currency: Currency) => bigint,
): StandingDiscount[] {
  return taken.flatMap((one) => {
    const own = given.filter(({ discount }) => discount === one.id)
    const { off, duration } = one.terms
    if (duration.kind === 'once' && own.length > 0) return []
    if (off.kind !== 'amount') return [one]
    const ofThisEnd = own.filter(({ afterEnd, elsewhere }) => afterEnd && !elsewhere)
    const before = ofThisEnd.reduce((sum, { minor }) => sum + minor, 0n)
    if (before === 0n) return [one]
    const unused = BigInt(off.minor) - before
    if (unused <= 0n) return []
    const left = downToStep(money(unused, off.currency), stepOf(off.currency))
    return left.minor > 0n
      ? [{ ...one, terms: { ...one.terms, off: { ...off, minor: `${left.minor}` } } }]
      : []
  })
}
