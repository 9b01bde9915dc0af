import { isBilledByProvider, type Price } from '@lockstep/core/price'
import type { PlanVersion } from '../store/plans.ts'

export interface ProviderPrice {
  /** What its mapping is called by: our price's id, or the plan version's. */
  readonly id: string
  /** Null for the price of nothing that stands for a plan which is paid by use only. */
  readonly price: Price | null
}

/**
 * What of a plan stands on a subscription at Stripe: its recurring prices in advance. A subscription
 * there has at least one price, so a plan without any gets one of nothing.
 */
export function providerPrices({ id, plan, priceIds }: PlanVersion): ProviderPrice[] {
  const billed = plan.prices.filter(isBilledByProvider).map((price) => {
    const priceId = priceIds.get(price.key)
    if (priceId === undefined) throw new Error(`Price ${price.key} of ${id} has no id.`)
    return { id: priceId, price }
  })
  return billed.length > 0 ? billed : [{ id, price: null }]
}
