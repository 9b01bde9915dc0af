import type Stripe from 'stripe'
import { readStripe } from '../../provider/stripe/call.ts'
import { idOf } from '../../provider/stripe/field.ts'
import { isOwn } from '../../provider/stripe/metadata.ts'
import { couponOf, toDiscount } from '../../provider/stripe/to-discount.ts'
import { entityIdOf, keysOfCoupons } from '../../store/mappings.ts'
import { addDiscounts, discountsSeen } from '../../store/provider-discounts.ts'
import { admitCouponsMet } from './coupon.ts'
import type { AdmitDeps } from './taking-up.ts'

/**
 * What a subscription's discounts take off, asked for once: it names them by ids that nothing else can be fetched by. Of
 * somebody else's subscription nothing is asked.
 * https://docs.stripe.com/api/discounts/object
 */
export async function knowDiscounts(deps: AdmitDeps, subscription: Stripe.Subscription): Promise<void> {
  const { db, provider, clock } = deps
  const ids = (subscription.discounts ?? []).map(idOf)
  if (ids.length === 0 || (await discountsSeen(db, ids)).length === ids.length) return
  const isOurs =
    isOwn(provider, subscription) ||
    (await entityIdOf(db, provider, 'subscription', subscription.id)) !== undefined
  if (!isOurs) return
  const { discounts } = await readStripe(deps, (stripe) =>
    stripe.subscriptions.retrieve(subscription.id, { expand: ['discounts.source.coupon'] }),
  )
  const seen = discounts.filter((discount) => typeof discount !== 'string')
  await admitCouponsMet(deps, seen.map(couponOf))
  const keys = await keysOfCoupons(
    db,
    provider,
    seen.map((discount) => couponOf(discount).id),
  )
  await addDiscounts(
    db,
    seen.map((discount) => ({ id: discount.id, terms: toDiscount(discount, keys) })),
    clock.now(),
  )
}
