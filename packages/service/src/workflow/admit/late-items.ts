import { readStripe } from '../../provider/stripe/call.ts'
import { all } from '../../provider/stripe/fetch.ts'
import { planOfProduct } from '../../store/inbound-plans.ts'
import { lookForAddon } from '../../store/late-items.ts'
import type { AdmitDeps } from './taking-up.ts'

/**
 * An item may be heard of before the product that its price is of: then it is no add-on of anything. Now that the price
 * is known, the subscriptions that have it at Stripe are due to be looked at. Where missing plans are made, the product
 * was made with the item. Asked after the price was written down: who adds an item behind that finds it.
 */
export async function attachLateItems(
  deps: AdmitDeps,
  { price, product }: { readonly price: string; readonly product: string },
): Promise<void> {
  const { db, clock, provider } = deps
  if (provider.sync.missingPlan === 'create') return
  const plan = await planOfProduct(db, provider, product)
  if (plan?.origin !== 'provider') return
  const having = await readStripe(deps, (stripe) => all(stripe.subscriptions.list({ price, limit: 100 })))
  if (having.length === 0) return
  const subscriptions = having.map(({ id }) => id)
  await lookForAddon(db, provider, { addon: plan.key, subscriptions, at: clock.now() })
}
