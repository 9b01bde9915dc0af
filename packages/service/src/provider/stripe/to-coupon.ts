import type { Coupon, Reduction } from '@lockstep/core/coupon'
import { Problem } from '@lockstep/core/problem'
import type Stripe from 'stripe'
import { durationOf, offOf } from './to-discount.ts'

/** What somebody made at Stripe, as a coupon here; what it is called here is not said there. */
export interface InboundCoupon extends Omit<Coupon, 'key'> {
  /** Stripe's products that it is good for, of one that was expanded with them; empty for all. */
  readonly products: readonly string[]
}

/** Refuses what cannot be written here exactly: a share finer than a hundredth of a percent. */
export function toCoupon(coupon: Stripe.Coupon): InboundCoupon {
  const { duration_in_months: months, redeem_by: redeemBy, max_redemptions: maxRedemptions } = coupon
  const { kind: duration } = durationOf(coupon)
  return {
    ...{ name: coupon.name ?? coupon.id, reduction: reductionOf(coupon), duration },
    durationInMonths: duration === 'repeating' ? (months ?? null) : null,
    ...{ redeemBy, maxRedemptions, products: coupon.applies_to?.products ?? [] },
  }
}

function reductionOf(coupon: Stripe.Coupon): Reduction {
  const off = offOf(coupon)
  if (off.kind === 'amount')
    return { kind: 'amount', amount: { minor: BigInt(off.minor), currency: off.currency } }
  const [, whole, fraction = ''] = /^(\d+)(?:\.(\d{1,2}))?$/.exec(off.percent) ?? []
  if (whole === undefined) {
    const detail = `Coupon ${coupon.id} takes off ${off.percent} %: finer than a hundredth of a percent.`
    throw new Problem('coupon_unreadable', detail)
  }
  return { kind: 'share', basisPoints: Number(whole) * 100 + Number(fraction.padEnd(2, '0')) }
}

/** How a coupon is claimed on Stripe's pages. */
export interface ObservedPromotionCode {
  readonly id: string
  readonly coupon: string | null
  readonly code: string
  readonly isActive: boolean
}

export function toPromotionCode({
  id,
  promotion,
  code,
  active,
}: Stripe.PromotionCode): ObservedPromotionCode {
  const { coupon } = promotion
  return { id, code, isActive: active, coupon: typeof coupon === 'object' ? (coupon?.id ?? null) : coupon }
}
