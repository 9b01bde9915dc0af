import type { Coupon } from '@lockstep/core/coupon'
import { toStripeAmount } from './amount.ts'
import { type CallDeps, callStripe } from './call.ts'
import { isOf, ownMetadata } from './metadata.ts'

/** Makes a coupon at Stripe, once: what it takes off can never change there. */
export async function makeCoupon(deps: CallDeps, coupon: Coupon): Promise<string> {
  const { key, name, reduction, duration, durationInMonths, redeemBy, maxRedemptions } = coupon
  const id = `coupon/${key}`
  const body = {
    name,
    duration,
    ...(durationInMonths !== null && { duration_in_months: durationInMonths }),
    ...(redeemBy !== null && { redeem_by: redeemBy }),
    ...(maxRedemptions !== null && { max_redemptions: maxRedemptions }),
    ...(reduction.kind === 'share'
      ? // Hundredths of a percent are exact in the two decimals that Stripe takes.
        { percent_off: reduction.basisPoints / 100 }
      : { amount_off: toStripeAmount(reduction.amount), currency: reduction.amount.currency }),
    metadata: ownMetadata(deps.provider, id, { lockstep_coupon: key }),
  }
  const made = await callStripe(
    deps,
    { id, kind: 'coupon.create', subjectId: key, body },
    (stripe, options) => stripe.coupons.create(body, options),
    async (stripe) => {
      for await (const found of stripe.coupons.list({ limit: 100 })) {
        if (isOf(deps.provider, id, found)) return found
      }
      return undefined
    },
  )
  return made.id
}
