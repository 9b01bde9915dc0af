import type { ItemNumbers } from '@lockstep/core/item-numbers'
import type { Db, Trx } from '../../postgres/connect.ts'
import { inOnePacket } from '../../postgres/packet.ts'
import { type ItemChange, itemChanges, type WantedItem } from '../../provider/stripe/subscription-changes.ts'
import type { ObservedSubscriptionItem } from '../../provider/stripe/to-subscription.ts'
import type { Attached } from '../../store/addons.ts'
import type { ProviderAccount } from '../../store/mappings.ts'
import type { PlanVersion } from '../../store/plans.ts'
import { toldItem, type WantedTermsItem, wantedItems } from '../subscription-items.ts'
import { asTheyStand, itemNumbersWanted } from './concerned.ts'
import { keepingPrice, type OwnItems, ownItems } from './own-items.ts'

export interface StandingTerms {
  /** The subscription's. */
  readonly id: string
  readonly items: readonly ObservedSubscriptionItem[]
  readonly version: PlanVersion
  readonly addons: readonly Attached[]
  readonly itemNumbers: ItemNumbers
}

export interface TermsToBe {
  readonly version: PlanVersion
  readonly quantity: number
  readonly addons: readonly Attached[]
  /** The number of the plan, where that is a part of what is wished. */
  readonly wishedQuantity: number | undefined
}

export interface ItemsWanted {
  /** The ones that stand for plan and add-ons now. */
  readonly own: OwnItems
  /** What is to be sold, by our own prices. */
  readonly priced: readonly WantedTermsItem[]
  readonly wanted: readonly WantedItem[]
  /** What the provider is told to make the wanted ones of those that stand. */
  readonly items: readonly ItemChange[]
  /** How many of a price stand there then, where that is not what the quantity says. */
  readonly itemNumbers: ItemNumbers
}

/** What is to stand on a subscription at the provider, of what stands there and what it is to run on. */
export async function itemsWanted(
  db: Db | Trx,
  account: ProviderAccount,
  standing: StandingTerms,
  { version, quantity, addons, wishedQuantity }: TermsToBe,
): Promise<ItemsWanted> {
  const [priced, own] = await inOnePacket(db, (db) =>
    Promise.all([wantedItems(db, { version, quantity, addons }), ownItems(db, account, standing)]),
  )
  const isOtherPlan = version.id !== standing.version.id
  const wish = { quantity: wishedQuantity }
  const asked = asTheyStand(priced, own.items, { wish, isOtherPlan, fromAddons: standing.addons })
  const kept = isOtherPlan ? undefined : own.byProduct
  const wanted: readonly WantedItem[] = [
    ...(kept ? [keepingPrice(kept, wishedQuantity)] : []),
    ...asked.filter(({ sold }) => !kept || sold.id !== version.id).map(toldItem),
  ]
  const itemNumbers = kept ? standing.itemNumbers : itemNumbersWanted(asked, { version, quantity }, addons)
  return { own, priced, wanted, items: itemChanges(own.items, wanted), itemNumbers }
}
