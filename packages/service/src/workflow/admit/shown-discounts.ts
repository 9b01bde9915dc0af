import type Stripe from 'stripe'
import type { Db } from '../../postgres/connect.ts'
import { couponOf } from '../../provider/stripe/to-discount.ts'
import { isWhole } from '../../provider/stripe/whole-coupon.ts'
import { readObject } from '../../store/provider-objects.ts'

/** Discounts that lists showed, which nobody has to ask for one by one. */
export interface ShownDiscounts {
  /** Those of the next page, instead of those of the one before. */
  show(discounts: readonly Stripe.Discount[]): void
  /** These with their whole coupons; undefined where one of them was not shown, or nothing is known of its coupon's parts. */
  whole(ids: readonly string[]): Promise<Stripe.Discount[] | undefined>
  /** Answers to what was asked all the same: the coupon of one discount is that of many. */
  learn(discounts: readonly Stripe.Discount[]): void
}

export function shownDiscounts(db: Db): ShownDiscounts {
  const shown = new Map<string, Stripe.Discount>()
  const coupons = new Map<string, Stripe.Coupon>()

  /** A list shows a coupon without its parts; its own list shows those, unless it was deleted there. */
  async function wholeCoupon(coupon: Stripe.Coupon): Promise<Stripe.Coupon | undefined> {
    const known = coupons.get(nameOf(coupon))
    if (known) return known
    const seen = (await readObject(db, { type: 'coupon', id: coupon.id }))?.raw as Stripe.Coupon | undefined
    if (!seen || nameOf(seen) !== nameOf(coupon) || !isWhole(seen)) return undefined
    coupons.set(nameOf(seen), seen)
    return seen
  }

  return {
    show(discounts) {
      shown.clear()
      for (const discount of discounts) shown.set(discount.id, discount)
    },
    async whole(ids) {
      const found: Stripe.Discount[] = []
      for (const id of ids) {
        const discount = shown.get(id)
        const coupon = discount && (await wholeCoupon(couponOf(discount)))
        if (!coupon) return undefined
        found.push({ ...discount, source: { ...discount.source, coupon } })
      }
      return found
    },
    learn(discounts) {
      for (const coupon of discounts.map(couponOf)) if (isWhole(coupon)) coupons.set(nameOf(coupon), coupon)
    },
  }
}

/** Who deletes a coupon may give its id to another one. */
function nameOf({ id, created }: Stripe.Coupon): string {
  return `${id} ${created}`
}
