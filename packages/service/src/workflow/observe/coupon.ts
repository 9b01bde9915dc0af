import type { Instant } from '@lockstep/core/instant'
import type Stripe from 'stripe'
import type { Trx } from '../../postgres/connect.ts'
import { toPromotionCode } from '../../provider/stripe/to-coupon.ts'
import { archiveInboundCoupon, followInboundCoupon, writePromotionCode } from '../../store/inbound-coupons.ts'
import { entityIdOf } from '../../store/mappings.ts'
import { readInstallation } from './installation.ts'
import { Incomplete, type Noun, type Owner } from './noun.ts'

interface CouponOwner extends Owner {
  readonly key: string
}

/** Stripe's coupon. What it takes off never changes there; what the catalogue names is the catalogue's. */
export const couponNoun: Noun<Stripe.Coupon | Stripe.DeletedCoupon, CouponOwner> = {
  async owner(db, object) {
    const key = await entityIdOf(db, await readInstallation(db), 'coupon', object.id)
    return key === undefined ? null : { customerId: null, key }
  },
  needsGate: async () => false,
  async write(trx, { object, owner: { key }, now }) {
    if (object.deleted) await archiveInboundCoupon(trx, key, await now())
    else {
      // Only one that was asked for says what it is good for.
      const products = 'applies_to' in object ? (object.applies_to?.products ?? []) : undefined
      await followInboundCoupon(trx, key, { name: object.name ?? object.id, products })
    }
    return {}
  },
}

/** Gone at Stripe: discounts that run go on, and nobody redeems it any more. */
export async function retireCoupon(trx: Trx, providerId: string, at: Instant): Promise<void> {
  const key = await entityIdOf(trx, await readInstallation(trx), 'coupon', providerId)
  if (key !== undefined) await archiveInboundCoupon(trx, key, at)
}

/** How a coupon is claimed on Stripe's pages: kept with the coupon that it claims, whoever made that. */
export const promotionCodeNoun: Noun<Stripe.PromotionCode, CouponOwner> = {
  async owner(db, object) {
    // Renderings of before 2025-09-30 say it otherwise.
    if ((object as Partial<Stripe.PromotionCode>).promotion === undefined) throw new Incomplete()
    const { coupon } = toPromotionCode(object)
    const key =
      coupon === null ? undefined : await entityIdOf(db, await readInstallation(db), 'coupon', coupon)
    return key === undefined ? null : { customerId: null, key }
  },
  needsGate: async () => false,
  async write(trx, { object, owner: { key: couponKey }, now }) {
    const { id, code, isActive } = toPromotionCode(object)
    await writePromotionCode(trx, { id, couponKey, code, isActive, at: await now() })
    return {}
  },
}
