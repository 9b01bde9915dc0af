import { isDeepStrictEqual } from 'node:util'
import type { Coupon } from '@lockstep/core/coupon'
import { flowsIn } from '@lockstep/core/direction'
import { Problem } from '@lockstep/core/problem'
import type Stripe from 'stripe'
import { transaction } from '../../postgres/transaction.ts'
import { readStripe } from '../../provider/stripe/call.ts'
import { isMissing } from '../../provider/stripe/problems.ts'
import { toCoupon, toPromotionCode } from '../../provider/stripe/to-coupon.ts'
import { couponParts } from '../../provider/stripe/whole-coupon.ts'
import { lockCatalog } from '../../store/catalog.ts'
import { inboundCoupons } from '../../store/coupons.ts'
import { addInboundCoupon } from '../../store/inbound-coupons.ts'
import { entityIdOf, unlink } from '../../store/mappings.ts'
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
  const coupon = toCoupon('applies_to' in object ? object : await fetchCoupon(deps, object.id))
  return takeUp(deps, 'coupon', { providerType: 'coupon', providerId: object.id }, async (trx) => {
    await lockCatalog(trx)
    return [{ entityType: 'coupon', entityId: await addInboundCoupon(trx, coupon, deps.clock.now()) }]
  })
}

/** With what it is good for. */
const fetchCoupon = (deps: AdmitDeps, id: string): Promise<Stripe.Coupon> =>
  readStripe(deps, (stripe) => stripe.coupons.retrieve(id, { expand: [...couponParts] }))

/**
 * Who deletes a coupon may give its id to another one, that takes off something else: that is a coupon of its own here,
 * and the older one stays what it was. What the catalogue names is never another.
 */
export async function admitAnotherCoupon(
  deps: AdmitDeps,
  object: Stripe.Coupon | Stripe.DeletedCoupon,
): Promise<void> {
  if (object.deleted || !isUnclaimed(object.metadata)) return
  const { db, provider } = deps
  const key = await entityIdOf(db, provider, 'coupon', object.id)
  const [known] = key === undefined ? [] : await inboundCoupons(db, [key])
  if (!known || takesOffTheSame(known, toCoupon(object))) return
  await transaction(db, (trx) => unlink(trx, provider, { entityType: 'coupon', providerId: object.id }))
  await admitCoupon(deps, object)
}

function takesOffTheSame(a: Omit<Coupon, 'key'>, b: Omit<Coupon, 'key'>): boolean {
  return (
    isDeepStrictEqual(a.reduction, b.reduction) &&
    a.duration === b.duration &&
    a.durationInMonths === b.durationInMonths
  )
}

/** The coupon of a promotion code may be heard of after it. */
export async function admitCouponOf(deps: AdmitDeps, code: Stripe.PromotionCode): Promise<void> {
  const { coupon } = toPromotionCode(code)
  if (coupon === null || (await entityIdOf(deps.db, deps.provider, 'coupon', coupon)) !== undefined) return
  try {
    await admitCoupon(deps, await fetchCoupon(deps, coupon))
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
