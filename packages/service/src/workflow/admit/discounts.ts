import { Problem } from '@lockstep/core/problem'
import type Stripe from 'stripe'
import { readStripe } from '../../provider/stripe/call.ts'
import { idOf } from '../../provider/stripe/field.ts'
import { isOwn } from '../../provider/stripe/metadata.ts'
import { isItemMissing, isMissing } from '../../provider/stripe/problems.ts'
import { couponOf, toDiscount, toProducts } from '../../provider/stripe/to-discount.ts'
import { couponParts } from '../../provider/stripe/whole-coupon.ts'
import { entityIdOf, keysOfCoupons } from '../../store/mappings.ts'
import { ownerOf } from '../../store/owners.ts'
import { addDiscounts, discountsUnread } from '../../store/provider-discounts.ts'
import { readLinked } from '../../store/provider-objects.ts'
import { standingDiscounts } from '../../store/standing-discounts.ts'
import type { Observed } from '../observe.ts'
import { admitCouponsMet } from './coupon.ts'
import type { AdmitDeps } from './taking-up.ts'

/**
 * What the discounts of a subscription, of its items or of a customer take off, asked for once where no list showed
 * it: they are named by ids that nothing else can be fetched by. Of what is somebody else's nothing is asked.
 * https://docs.stripe.com/api/discounts/object
 */
export async function knowDiscounts(deps: AdmitDeps, { type, object }: Observed): Promise<void> {
  if (type !== 'customer' && type !== 'subscription') return
  if ('deleted' in object && object.deleted) return
  const { db, provider } = deps
  const named = type === 'customer' ? ofCustomer(object) : ofSubscription(object)
  const unread = await discountsUnread(
    db,
    named.flatMap(({ ids }) => ids),
  )
  if (unread.size === 0) return
  const isOurs = isOwn(provider, object) || (await entityIdOf(db, provider, type, object.id)) !== undefined
  if (!isOurs) return
  for (const { ids, ask } of named)
    if (ids.some((id) => unread.has(id)))
      await write(
        deps,
        (await deps.shown?.whole(ids)) ?? (await answered(deps, ask)),
        object.currency ?? null,
      )
}

/** What our own calls gave a subscription was answered by its id alone: what it is good for is asked before it is needed. */
export async function knowStandingDiscounts(deps: AdmitDeps, subscriptionId: string): Promise<void> {
  const { db } = deps
  if ((await standingDiscounts(db, subscriptionId)).unread.length === 0) return
  for (const type of ['subscription', 'customer'] as const) {
    const entityId =
      type === 'subscription' ? subscriptionId : await ownerOf(db, 'subscription', subscriptionId)
    const picture = entityId === undefined ? undefined : await readLinked(db, type, entityId)
    // It is the provider's own picture of one.
    if (picture) await knowDiscounts(deps, { type, object: picture.raw } as Observed)
  }
}

/** Where discounts are named, and how they are asked for: four names is as deep as an answer can be expanded. */
interface Named {
  readonly ids: readonly string[]
  readonly ask: (stripe: Stripe) => Promise<readonly (string | Stripe.Discount | null | undefined)[]>
}

const expand = couponParts.map((name) => `discounts.source.coupon.${name}`)

function ofCustomer({ id, discount }: Stripe.Customer): Named[] {
  const ask = async (stripe: Stripe) => {
    const customer = await stripe.customers.retrieve(id, {
      expand: couponParts.map((name) => `discount.source.coupon.${name}`),
    })
    return customer.deleted ? [] : [customer.discount]
  }
  return discount ? [{ ids: [discount.id], ask }] : []
}

function ofSubscription({ id, discounts, items }: Stripe.Subscription): Named[] {
  return [
    {
      ids: (discounts ?? []).map(idOf),
      ask: async (stripe) => (await stripe.subscriptions.retrieve(id, { expand })).discounts,
    },
    ...items.data.map((item) => ({
      ids: (item.discounts ?? []).map(idOf),
      ask: (stripe: Stripe) => askItem(stripe, item.id),
    })),
  ]
}

async function askItem(stripe: Stripe, id: string) {
  try {
    return (await stripe.subscriptionItems.retrieve(id, { expand })).discounts
  } catch (error) {
    if (isItemMissing(error)) return []
    throw error
  }
}

/** Of what is gone meanwhile nothing stands any more. */
async function answered(deps: AdmitDeps, ask: Named['ask']): Promise<Stripe.Discount[]> {
  try {
    const discounts = (await readStripe(deps, ask)).filter(
      (one): one is Stripe.Discount => typeof one === 'object' && one !== null,
    )
    deps.shown?.learn(discounts)
    return discounts
  } catch (error) {
    if (error instanceof Problem && isMissing(error.cause)) return []
    throw error
  }
}

async function write(
  deps: AdmitDeps,
  discounts: readonly Stripe.Discount[],
  currency: string | null,
): Promise<void> {
  const { db, provider, clock } = deps
  const coupons = discounts.map(couponOf)
  await admitCouponsMet(deps, coupons)
  const keys = await keysOfCoupons(
    db,
    provider,
    coupons.map(({ id }) => id),
  )
  await addDiscounts(
    db,
    discounts.map((discount) => ({
      ...{ id: discount.id, terms: toDiscount(discount, keys, currency), products: toProducts(discount) },
    })),
    clock.now(),
  )
}
