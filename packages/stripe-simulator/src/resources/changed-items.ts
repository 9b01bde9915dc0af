import type { ItemChange } from '../billing/item-change.ts'
import { itemsOf } from '../billing/periods.ts'
import type { SubscriptionRow } from '../rows.ts'
import type { World } from '../world.ts'

/** A price and how many of it; a metered price counts by itself. */
export interface PricedItem {
  readonly price: string
  readonly quantity: number | undefined
}

/** What the subscription will consist of when its items are changed like that. */
export function itemsAfter(
  world: World,
  subscription: SubscriptionRow,
  changes: readonly ItemChange[],
): PricedItem[] {
  const kept = itemsOf(world, subscription.id).flatMap((item) => {
    const change = changes.find(({ id }) => id === item.id)
    if (change?.deleted === true) return []
    return { price: change?.price ?? item.own.price, quantity: change?.quantity ?? item.quantity }
  })
  const added = changes.flatMap(({ id, price, quantity }) =>
    id === undefined && price !== undefined ? { price, quantity } : [],
  )
  return [...kept, ...added]
}
