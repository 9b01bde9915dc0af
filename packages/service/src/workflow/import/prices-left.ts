import type Stripe from 'stripe'
import { idOf } from '../../provider/stripe/field.ts'
import { isOwn } from '../../provider/stripe/metadata.ts'
import { isMetered } from '../../provider/stripe/to-price.ts'
import { isEachInbound } from '../../store/inbound-plans.ts'
import { linkedOf } from '../../store/mappings.ts'
import { isUnclaimed } from '../admit/taking-up.ts'
import type { LookDeps } from '../look.ts'

/**
 * Why a price gets no link. `metered`: Stripe's own meters count what it is for and bill it there; here it says only in
 * what rhythm. `catalogue`: its product is the catalogue's, which says what that costs. `own`: it carries our name, and
 * was unlinked.
 */
export type ReasonLeft = 'metered' | 'catalogue' | 'own'

/** Of listed prices, those that are linked to nothing and never will be by themselves. */
export async function pricesLeft(
  { db, provider }: LookDeps,
  prices: readonly Stripe.Price[],
): Promise<ReadonlyMap<string, ReasonLeft>> {
  if (prices.length === 0) return new Map()
  const ids = prices.map(({ id }) => id)
  const products = [...new Set(prices.map(({ product }) => idOf(product)))]
  const [linked, inbound] = await Promise.all([
    linkedOf(db, provider, 'price', ids),
    isEachInbound(db, provider, products),
  ])
  const left = new Map<string, ReasonLeft>()
  for (const price of prices) {
    if (linked.has(price.id)) continue
    if (!isUnclaimed(price.metadata)) {
      if (isOwn(provider, price)) left.set(price.id, 'own')
      continue
    }
    // Of a product that is not linked nothing is said: it is another's, or a dry run has not made it.
    if (inbound.get(idOf(price.product)) === false) left.set(price.id, 'catalogue')
    else if (isMetered(price)) left.set(price.id, 'metered')
  }
  return left
}
