import type { Db, Trx } from '../../postgres/connect.ts'
import type { WantedItem } from '../../provider/stripe/subscription-changes.ts'
import { providerIdsOf } from '../../store/mappings.ts'
import type { PlanVersion } from '../../store/plans.ts'
import { providerPrices } from '../provider-prices.ts'
import { itemQuantity } from '../purchase/configuration.ts'

/** What of a plan stands on a subscription at the provider, in the order of the catalogue. */
export async function wantedItems(
  db: Db | Trx,
  version: PlanVersion,
  quantity: number,
): Promise<WantedItem[]> {
  const prices = providerPrices(version)
  const providerIds = await providerIdsOf(
    db,
    'price',
    prices.map(({ id }) => id),
  )
  return prices.map(({ id, price }) => {
    const providerPrice = providerIds.get(id)
    if (providerPrice === undefined) throw new Error(`Price ${id} is not known to the provider.`)
    return { providerPrice, quantity: itemQuantity(price, quantity) }
  })
}
