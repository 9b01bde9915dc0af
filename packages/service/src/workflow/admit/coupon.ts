import { flowsIn } from '@lockstep/core/direction'
import { Problem } from '@lockstep/core/problem'
import type Stripe from 'stripe'
import { readStripe } from '../../provider/stripe/call.ts'
import { isMissing } from '../../provider/stripe/problems.ts'
import { toCoupon, toPromotionCode } from '../../provider/stripe/to-coupon.ts'
import { lockCatalog } from '../../store/catalog.ts'
import { addInboundCoupon } from '../../store/inbound-coupons.ts'
import { entityIdOf } from '../../store/mappings.ts'
import { type AdmitDeps, isUnclaimed, takeUp } from './taking-up.ts'

/**
 * A coupon here for one that was made at Stripe, where plans come in. It is shown, and named by contracts; nobody redeems
 * it here before the catalogue names it. Undefined of one that is gone or somebody else's.
 */
export async function admitCoupon(
  deps: AdmitDeps,
  object: Stripe.Coupon | Stripe.DeletedCoupon,
): Promise<string | undefined> {
  if (object.deleted || !isUnclaimed(object.metadata)) return undefined
  const coupon = toCoupon(object)
  return takeUp(deps, 'coupon', { providerType: 'coupon', providerId: object.id }, async (trx) => {
    await lockCatalog(trx)
    return [{ entityType: 'coupon', entityId: await addInboundCoupon(trx, coupon, deps.clock.now()) }]
  })
}

/** The coupon of a promotion code may be heard of after it. */
export async function admitCouponOf(deps: AdmitDeps, code: Stripe.PromotionCode): Promise<void> {
  const { coupon } = toPromotionCode(code)
  if (coupon === null || (await entityIdOf(deps.db, deps.provider, 'coupon', coupon)) !== undefined) return
  try {
    await admitCoupon(deps, await readStripe(deps, (stripe) => stripe.coupons.retrieve(coupon)))
  } catch (error) {
    // Gone meanwhile: then nothing is claimed by it.
    if (!(error instanceof Problem) || !isMissing(error.cause)) throw error
  }
}

/** Coupons that are met with the discounts they made. One that cannot be written here has no key in a contract. */
export async function admitCouponsMet(deps: AdmitDeps, coupons: readonly Stripe.Coupon[]): Promise<void> {
  if (!flowsIn(deps.provider.sync.directions.plan)) return
  for (const coupon of coupons) {
    try {
      await admitCoupon(deps, coupon)
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'coupon_unreadable') throw error
      deps.log.warn({ err: error, coupon: coupon.id }, 'A coupon is left out.')
    }
  }
}
