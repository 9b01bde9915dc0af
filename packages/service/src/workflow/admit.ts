import { flowsIn } from '@lockstep/core/direction'
import { isTerminal } from '@lockstep/core/subscription'
import type Stripe from 'stripe'
import type { Provider } from '../provider/stripe/account.ts'
import { idOf } from '../provider/stripe/field.ts'
import { isOwn } from '../provider/stripe/metadata.ts'
import { readObject } from '../store/provider-objects.ts'
import { admitBilled, admitPending } from './admit/billed.ts'
import { admitAnotherCoupon, admitCoupon, admitCouponOf } from './admit/coupon.ts'
import { admitCustomer, isUnlinked } from './admit/customer.ts'
import { knowDiscounts } from './admit/discounts.ts'
import { attachLateItems } from './admit/late-items.ts'
import { admitPrice, admitPricesOn, readUnreadPrices } from './admit/price.ts'
import { admitProduct } from './admit/product.ts'
import { admitSubscription } from './admit/subscription.ts'
import type { AdmitDeps } from './admit/taking-up.ts'
import { isOurs, type Observed } from './observe.ts'

/** Whether what is made at Stripe of this kind is taken up here at all. */
export function mayComeIn({ sync }: Pick<Provider, 'sync'>, type: Observed['type']): boolean {
  const { customer, plan, subscription } = sync.directions
  switch (type) {
    case 'customer':
      return flowsIn(customer)
    case 'product':
    case 'price':
    case 'coupon':
    case 'promotion_code':
      return flowsIn(plan)
    case 'subscription':
      return flowsIn(subscription)
    case 'invoice':
    case 'credit_note':
    case 'invoiceitem':
      return flowsIn(subscription) || flowsIn(customer)
    case 'refund':
    case 'dispute':
    case 'subscription_schedule':
    case 'checkout_session':
    case 'test_clock':
      return false
  }
}

/** Whether this one may be; with every synchronisation it is read where our own lines are, so no event of one of these makes a look. */
export function mayBeTakenUp(provider: Pick<Provider, 'sync' | 'instance'>, observed: Observed): boolean {
  if (observed.type === 'invoiceitem' && !observed.object.deleted && isOwn(provider, observed.object))
    return false
  return mayComeIn(provider, observed.type)
}

/**
 * Takes up what somebody made at Stripe and not we: ours is made and linked, in one transaction, and from then on it
 * is observed like everything else. Again, and by two at once, it is taken up once. Whatever carries the name of an
 * installation in its metadata is not: another's is not ours to touch, and our own writes are known by it, so that
 * nothing goes round in a circle.
 *
 * Refuses as `mapping_needed` where what it belongs to is linked to nothing and is not to be made.
 */
export async function admit(deps: AdmitDeps, observed: Observed): Promise<void> {
  if (mayComeIn(deps.provider, observed.type)) await takeIn(deps, observed)
  // Of ours too: whoever gives one at Stripe changes what was agreed on.
  await knowDiscounts(deps, observed)
}

async function takeIn(deps: AdmitDeps, observed: Observed): Promise<void> {
  switch (observed.type) {
    case 'customer':
      if (!(await isOurs(deps.db, observed)) && !(await isUnlinked(deps.db, observed.object)))
        await admitCustomer(deps, observed.object)
      return
    case 'product':
      if (!(await isOurs(deps.db, observed))) await admitProduct(deps, observed.object)
      await readUnreadPrices(deps, observed.object.id)
      return
    case 'coupon':
      if (await isOurs(deps.db, observed)) await admitAnotherCoupon(deps, observed.object)
      else await admitCoupon(deps, observed.object)
      return
    case 'promotion_code':
      await admitCouponOf(deps, observed.object)
      return
    case 'subscription':
      if (!(await isOurs(deps.db, observed))) await admitSubscription(deps, observed.object)
      // Nothing that is said of a price hides what becomes of ours: it stays on the version that it is on.
      else if (!isOver(observed.object)) await admitPricesOn(deps, observed.object)
      return
    case 'invoice':
    case 'credit_note':
      await admitBilled(deps, observed.object)
      return
    case 'invoiceitem':
      if (!observed.object.deleted) await admitPending(deps, observed.object)
      return
    case 'price':
      if (observed.object.deleted) return
      await admitPrice(deps, observed.object)
      // Seen before, it was known to whoever was heard of with it since.
      if ((await readObject(deps.db, { type: 'price', id: observed.object.id })) === undefined) {
        const product = idOf(observed.object.product)
        await attachLateItems(deps, { price: observed.object.id, product })
      }
      return
    case 'refund':
    case 'dispute':
    case 'subscription_schedule':
    case 'checkout_session':
    case 'test_clock':
      return
  }
}

/** What it paid at last is of no more use; its end waits for no price. */
function isOver({ status }: Stripe.Subscription): boolean {
  return isTerminal(status as Parameters<typeof isTerminal>[0])
}
