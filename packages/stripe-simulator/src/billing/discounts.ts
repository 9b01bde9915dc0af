import type { InvoiceRow } from '../rows.ts'
import type { World } from '../world.ts'
import type { Reduction } from './totals.ts'

/** The reductions that the invoice's discounts make, in their order. */
export function reductionsOf(world: World, discounts: readonly string[], currency: string): Reduction[] {
  return discounts.flatMap((id) => {
    const discount = world.discounts.get(id)
    const coupon = world.coupons.get(discount?.own.coupon)
    if (coupon === undefined) return []
    // An amount in another currency cannot be taken off.
    if (coupon.amount_off !== null && coupon.currency !== currency) return []
    return [
      {
        discount: id,
        percentOff: coupon.percent_off === null ? null : String(coupon.percent_off),
        amountOff: coupon.amount_off,
        products: coupon.own.products,
      },
    ]
  })
}

/** Discounts that still run for a subscription; without its own it inherits the customer's. */
export function runningDiscounts(
  world: World,
  own: readonly string[],
  customer: string,
  at: number,
): string[] {
  const ids = own.length > 0 ? own : customerDiscounts(world, customer)
  return ids.filter((id) => {
    const discount = world.discounts.get(id)
    return discount !== undefined && !discount.own.used && (discount.end === null || discount.end > at)
  })
}

/** The customer's own discounts, which are not a subscription's. */
export function customerDiscounts(world: World, customer: string): string[] {
  return world.discounts
    .by('customer', customer)
    .flatMap((row) => (row.subscription === null && row.invoice === null ? [row.id] : []))
}

/** A `once` discount is used up by the first invoice that has an amount. */
export function useOnce(world: World, invoice: InvoiceRow): void {
  if (invoice.subtotal <= 0) return
  for (const id of invoice.discounts) {
    const discount = world.discounts.get(id)
    const coupon = world.coupons.get(discount?.own.coupon)
    if (discount === undefined || coupon?.duration !== 'once' || discount.invoice !== null) continue
    world.discounts.patch(id, { own: { ...discount.own, used: true } })
  }
}
