import type Stripe from 'stripe'
import { knowDiscounts } from './admit/discounts.ts'
import type { LookDeps } from './look.ts'
import { type Observed, type Outcome, observe, type Settle } from './observe.ts'

/**
 * Takes in the answer of a call of ours that changed a subscription. Of discounts it has the ids alone, also of those that
 * somebody gave meanwhile without our having heard of it: they are read first. Otherwise the event that tells of them would
 * say nothing new, and they would never be known.
 */
export async function observeAnswer(
  deps: LookDeps,
  answer: { readonly object: Stripe.Subscription; readonly observation: bigint },
  settle?: Settle,
): Promise<Outcome> {
  const observed: Observed = { type: 'subscription', source: 'write', ...answer }
  await knowDiscounts(deps, observed)
  return observe(deps, observed, settle)
}
