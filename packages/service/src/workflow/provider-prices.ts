import { isBilledByProvider, type Price } from '@lockstep/core/price'
import type { PlanVersion } from '../store/plans.ts'

export interface ProviderPrice {
  readonly id: string
  readonly price: Price
}

/** What of a plan stands on a subscription at Stripe: its recurring prices in advance, at least one. */
export function providerPrices({ id: versionId, plan, priceIds }: PlanVersion): ProviderPrice[] {
  return plan.prices.filter(isBilledByProvider).map((price) => {
    const id = priceIds.get(price.key)
    if (id === undefined) throw new Error(`Price ${price.key} of ${versionId} has no id.`)
    return { id, price }
  })
}
