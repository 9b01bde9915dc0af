import { type ItemNumbers, numberOf, ofAddon } from '@lockstep/core/item-numbers'
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
  /** How many of a price stand there, where that is not what the quantity says. */
  readonly itemNumbers?: ItemNumbers
}

/** A recurring price with how many of it there are. */
export interface PricedTerms extends ProviderPrice {
  readonly quantity: number
  readonly sold: PlanVersion | AddonVersion
  /** Of what it is sold as. */
  readonly number: number
}

/** The same as it stands at the provider. */
export type WantedTermsItem = Omit<PricedTerms, 'quantity'> & WantedItem

/** Of each recurring price that has an item, how many of it: the plan's first, then the add-ons'. */
export function pricedItems({ version, quantity, addons, itemNumbers = {} }: Terms): PricedTerms[] {
  const of = (sold: PlanVersion | AddonVersion, number: number, own: ItemNumbers) => {
    const its = providerPrices(sold)
    const together = its.map(({ price }) => price)
    return its.flatMap(({ id, price }) => {
      const standing = numberOf(price, together, number, own)
      return standing === null ? [] : [{ id, price, quantity: standing, sold, number }]
    })
  }
  const beside = addons.flatMap((addon) =>
    of(addon.version, addon.quantity, ofAddon(addon.version.addon.key, itemNumbers)),
  )
  return [...of(version, quantity, itemNumbers), ...beside]
}

/** What the provider is told of one. */
export function toldItem<Quantity extends number | null>({
  providerPrice,
  quantity,
}: WantedItem & { readonly quantity: Quantity }) {
  return { providerPrice, quantity }
}

/** What of them stands on a subscription at the provider, in the order of the catalogue. */
export async function wantedItems(
  db: Db | Trx,
  terms: Terms,
): Promise<(WantedTermsItem & { readonly quantity: number })[]> {
  const items = pricedItems(terms)
  const ids = items.map(({ id }) => id)
  const [own, ofTwins] = await Promise.all([
    providerIdsOf(db, 'price', ids),
    terms.addons.length === 0 ? new Map<string, string>() : providerIdsOf(db, 'addon_price', ids),
  ])
  return items.map((item) => {
    const { id } = item
    const providerPrice = own.get(id) ?? ofTwins.get(id)
    if (providerPrice === undefined) throw new Error(`Price ${id} is not known to the provider.`)
    return { ...item, providerPrice }
  })
}
