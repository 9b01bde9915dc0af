import type { Coupon } from '@lockstep/core/coupon'
import type { Discount } from '@lockstep/core/discount'
import { money } from '@lockstep/core/money'
import { Problem } from '@lockstep/core/problem'
import type Stripe from 'stripe'
import { toStripeAmount, toStripeUnits } from './amount.ts'
import { type CallDeps, callStripe, MadeAndGone, readStripe, wasReplayed } from './call.ts'
import { isOf, ownMetadata } from './metadata.ts'
import { isMissing } from './problems.ts'

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
  return (await make(deps, { id, subjectId: key, body })).id
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
 * run out or be used up. It can be redeemed once. Where somebody deleted the one that was made before, another is made.
 */
export async function makeOnceMore(
  deps: CallDeps,
  { id, subjectId, terms: { name, off }, products }: OnceMore,
): Promise<string> {
  for (let deleted = 0; ; deleted += 1) {
    const operation = deleted === 0 ? id : `${id}/${deleted}`
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
      metadata: ownMetadata(deps.provider, operation),
    }
    const made = await madeOrGone(deps, { id: operation, subjectId, body })
    if (made !== undefined) return made
  }
}

/** What Stripe remembers to have made may be deleted since; undefined then. */
async function madeOrGone(deps: CallDeps, coupon: ToMake): Promise<string | undefined> {
  try {
    const made = await make(deps, { ...coupon, removable: true })
    if (!wasReplayed(made)) return made.id
    return (await readStripe(deps, (stripe) => stripe.coupons.retrieve(made.id))).id
  } catch (error) {
    if (error instanceof MadeAndGone) return undefined
    if (error instanceof Problem && isMissing(error.cause)) return undefined
    throw error
  }
}

interface ToMake {
  readonly id: string
  readonly subjectId: string
  readonly body: Stripe.CouponCreateParams
  readonly removable?: boolean
}

function make(deps: CallDeps, { id, subjectId, body, removable = false }: ToMake): Promise<Stripe.Coupon> {
  return callStripe(
    deps,
    { id, kind: 'coupon.create', subjectId, body, removable },
    (stripe, options) => stripe.coupons.create(body, options),
    async (stripe) => {
      for await (const found of stripe.coupons.list({ limit: 100 })) {
        if (isOf(deps.provider, id, found)) return found
      }
      return undefined
    },
  )
}
