import type Stripe from 'stripe'
import type { Belonging } from '../../provider/stripe/belongings.ts'
import { fetchSubscription } from '../../provider/stripe/fetch.ts'
import { isOwn } from '../../provider/stripe/metadata.ts'
import { toPendingItem } from '../../provider/stripe/to-pending-item.ts'
import { isMetered } from '../../provider/stripe/to-price.ts'
import { type EntityType, entityIdOf } from '../../store/mappings.ts'
import { isUnlinked } from '../admit/customer.ts'
import { isUnclaimed } from '../admit/taking-up.ts'
import type { LookDeps } from '../look.ts'
import type { Observed } from '../observe.ts'

/** What becomes of an object that is none here, when it is taken up. */
export type Foreseen = 'made' | 'known' | 'foreignObjects' | 'leftAlone'

/**
 * What an import would make of an object that is linked to none of ours and that nothing keeps from being read: nothing where it
 * belongs to who is deleted there or somebody else's, as nothing comes in behind those. Of another installation's own it was told
 * before.
 */
export async function foresee(
  deps: LookDeps,
  observed: Observed,
  { customer, product }: Belonging,
): Promise<Foreseen> {
  const { type, object } = observed
  // What carries our name was made here: none is made of it a second time.
  if ('metadata' in object && isOwn(deps.provider, object)) return 'known'
  switch (type) {
    case 'price': {
      if (product === undefined || (await comesIn(deps, 'product', product))) {
        return !object.deleted && isMetered(object) ? 'leftAlone' : 'made'
      }
      return 'foreignObjects'
    }
    case 'product':
      // Its plan was unlinked by a person, and its add-on was not.
      return (await entityIdOf(deps.db, deps.provider, 'addon', object.id)) === undefined
        ? 'made'
        : 'foreignObjects'
    case 'subscription':
    case 'invoice':
      return customer === undefined || (await comesIn(deps, 'customer', customer)) ? 'made' : 'foreignObjects'
    case 'invoiceitem': {
      if (customer !== undefined && !(await comesIn(deps, 'customer', customer))) return 'foreignObjects'
      const subscription = object.deleted ? null : toPendingItem(object).subscription
      return subscription === null || (await isTakenUp(deps, subscription)) ? 'made' : 'foreignObjects'
    }
    case 'customer':
      return (await isUnlinked(deps.db, object)) ? 'foreignObjects' : 'made'
    case 'coupon':
    case 'promotion_code':
    case 'credit_note':
    case 'refund':
    case 'dispute':
    case 'subscription_schedule':
    case 'checkout_session':
    case 'test_clock':
      return 'made'
  }
}

/** Whether one is linked, or will be by then. */
async function comesIn(
  { db, provider }: LookDeps,
  type: EntityType,
  object: Stripe.Customer | Stripe.DeletedCustomer | Stripe.Product | Stripe.DeletedProduct,
): Promise<boolean> {
  if (!object.deleted && isUnclaimed(object.metadata)) return true
  return (await entityIdOf(db, provider, type, object.id)) !== undefined
}

/** No list of items shows the subscription: it is asked for. */
async function isTakenUp(deps: LookDeps, id: string): Promise<boolean> {
  if ((await entityIdOf(deps.db, deps.provider, 'subscription', id)) !== undefined) return true
  return isUnclaimed((await fetchSubscription(deps, id)).metadata)
}
