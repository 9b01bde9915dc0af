import type { Coupon } from '@lockstep/core/coupon'
import type { Discount } from '@lockstep/core/discount'
import { money } from '@lockstep/core/money'
import type Stripe from 'stripe'
import { toStripeAmount, toStripeUnits } from './amount.ts'
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
  return make(deps, { id, subjectId: key, body })
}

/** What a coupon at Stripe may be called. */
const LONGEST_NAME = 40

export interface OnceMore {
  /** The operation that makes it. */
  readonly id: string
  readonly subjectId: string
  readonly terms: Discount
  /** Stripe's products that it is good for; empty for all. */
  readonly products: readonly string[]
}

/**
 * Makes a coupon for one invoice that takes off what a discount does, whatever became of the coupon of that: it may have
 * run out or be used up. It can be redeemed once.
 */
export async function makeOnceMore(
  deps: CallDeps,
  { id, subjectId, terms: { name, off }, products }: OnceMore,
): Promise<string> {
  const body = {
    name: name.slice(0, LONGEST_NAME),
    ...{ duration: 'once' as const, max_redemptions: 1 },
    ...(products.length > 0 && { applies_to: { products: [...products] } }),
    ...(off.kind === 'percent'
      ? { percent_off: Number(off.percent) }
      : {
          amount_off: Number(toStripeUnits(money(BigInt(off.minor), off.currency))),
          currency: off.currency,
        }),
    metadata: ownMetadata(deps.provider, id),
  }
  return make(deps, { id, subjectId, body })
}

interface ToMake {
  readonly id: string
  readonly subjectId: string
  readonly body: Stripe.CouponCreateParams
}

async function make(deps: CallDeps, { id, subjectId, body }: ToMake): Promise<string> {
  const made = await callStripe(
    deps,
    { id, kind: 'coupon.create', subjectId, body },
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
