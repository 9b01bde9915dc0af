import { numberOf } from '@lockstep/core/pricing/price-fee'
import type { Db, Trx } from '../postgres/connect.ts'
import type { WantedItem } from '../provider/stripe/subscription-changes.ts'
import type { AddonVersion, Attached } from '../store/addons.ts'
import { providerIdsOf } from '../store/mappings.ts'
import type { PlanVersion } from '../store/plans.ts'
import { type ProviderPrice, providerPrices } from './provider-prices.ts'

/** What a subscription runs on, or shall run on. */
interface Terms {
  readonly version: PlanVersion
  readonly quantity: number
  readonly addons: readonly Attached[]
}

/** Of each recurring price, how many of it: the plan's first, then the add-ons'. */
export function pricedItems({ version, quantity, addons }: Terms): (ProviderPrice & { quantity: number })[] {
  const of = (sold: PlanVersion | AddonVersion, number: number) => {
    const its = providerPrices(sold)
    const together = its.map(({ price }) => price)
    return its.map(({ id, price }) => ({ id, price, quantity: numberOf(price, together, number) }))
  }
  return [...of(version, quantity), ...addons.flatMap((addon) => of(addon.version, addon.quantity))]
}

/** What of them stands on a subscription at the provider, in the order of the catalogue. */
export async function wantedItems(
  db: Db | Trx,
  terms: Terms,
): Promise<(WantedItem & { readonly quantity: number })[]> {
  const items = pricedItems(terms)
  const ids = items.map(({ id }) => id)
  const [own, ofTwins] = await Promise.all([
    providerIdsOf(db, 'price', ids),
    terms.addons.length === 0 ? new Map<string, string>() : providerIdsOf(db, 'addon_price', ids),
  ])
  return items.map(({ id, quantity }) => {
    const providerPrice = own.get(id) ?? ofTwins.get(id)
    if (providerPrice === undefined) throw new Error(`Price ${id} is not known to the provider.`)
    return { providerPrice, quantity }
  })
}
