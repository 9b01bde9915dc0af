import { isBilledByProvider, type Price } from '@lockstep/core/price'
import type { AddonVersion } from '../store/addons.ts'
import type { PlanVersion } from '../store/plans.ts'

export interface ProviderPrice {
  readonly id: string
  readonly price: Price
}

/** What of a plan, or of an add-on, stands on a subscription at Stripe: its recurring prices in advance, at least one. */
export function providerPrices(version: PlanVersion | AddonVersion): ProviderPrice[] {
  const { prices } = 'plan' in version ? version.plan : version.addon
  return prices.filter(isBilledByProvider).map((price) => {
    const id = version.priceIds.get(price.key)
    if (id === undefined) throw new Error(`Price ${price.key} of ${version.id} has no id.`)
    return { id, price }
  })
}
