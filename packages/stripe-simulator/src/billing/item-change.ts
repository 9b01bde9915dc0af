import type { SubscriptionItemRow, SubscriptionRow } from '../rows.ts'
import type { World } from '../world.ts'
import { addItem } from './create.ts'
import { billUsageSoFar, isMetered, restartUsage } from './metered.ts'

export interface ItemChange {
  /** Absent adds an item. */
  readonly id: string | undefined
  readonly price: string | undefined
  readonly quantity: number | undefined
  readonly metadata: Record<string, string> | undefined
  readonly deleted: boolean
  readonly taxRates?: SubscriptionItemRow['tax_rates'] | undefined
  /** New discounts of the item alone; absent leaves them. */
  readonly discounts?: readonly string[] | undefined
  readonly thresholds?: SubscriptionItemRow['billing_thresholds'] | undefined
}

/** Whether a change is one of price or number, which prorates. */
export function isChanged(item: SubscriptionItemRow, entry: ItemChange): boolean {
  if (entry.deleted) return true
  const price = entry.price !== undefined && entry.price !== item.own.price
  return price || (entry.quantity !== undefined && entry.quantity !== item.quantity)
}

/** Adds, changes or removes the item; null when it is gone. */
export function applyItem(
  world: World,
  subscription: SubscriptionRow,
  entry: ItemChange,
  now: number,
): SubscriptionItemRow | null {
  const old = world.subscriptionItems.get(entry.id)
  if (old === undefined) {
    return addItem(
      world,
      subscription,
      {
        price: entry.price as string,
        quantity: isMetered(world.prices.must(entry.price as string)) ? undefined : (entry.quantity ?? 1),
        metadata: entry.metadata ?? {},
        taxRates: entry.taxRates,
        discounts: entry.discounts,
        thresholds: entry.thresholds,
      },
      now,
      now,
    )
  }
  if (entry.deleted) {
    world.subscriptionItems.delete(old.id)
    return null
  }
  const { quantity, ...kept } = world.subscriptionItems.must(old.id)
  const metered = isMetered(world.prices.must(entry.price ?? old.own.price))
  const seats = metered ? undefined : (entry.quantity ?? quantity ?? 1)
  return world.subscriptionItems.patch(old.id, {
    ...(seats === quantity ? {} : { quantity: seats }),
    ...(entry.metadata === undefined ? {} : { metadata: entry.metadata }),
    ...(entry.taxRates === undefined ? {} : { tax_rates: entry.taxRates }),
    ...(entry.discounts === undefined ? {} : { discounts: [...entry.discounts] }),
    ...(entry.thresholds === undefined ? {} : { billing_thresholds: entry.thresholds }),
    ...(entry.price === undefined ? {} : { own: { ...kept.own, price: entry.price } }),
  })
}

/**
 * What a metered item used at the price that ends now. Flexible billing "bills for all usage in the current
 * period at the price effective at the time it's reported", and of a removed item unless nothing is
 * prorated; classic "only bills for the usage that was reported since changing to the current price".
 * https://docs.stripe.com/billing/subscriptions/billing-mode/compare
 */
export function settleUsage(
  world: World,
  subscription: SubscriptionRow,
  old: SubscriptionItemRow,
  entry: ItemChange,
  prorationBehavior: string,
  now: number,
): void {
  const changes = entry.deleted || (entry.price !== undefined && entry.price !== old.own.price)
  const metered = isMetered(world.prices.must(old.own.price))
  if (!changes || !metered) return
  const billed =
    subscription.billing_mode.type === 'flexible' &&
    subscription.status !== 'trialing' &&
    !(entry.deleted && prorationBehavior === 'none')
  if (billed) billUsageSoFar(world, subscription, old, now)
  if (!entry.deleted) restartUsage(world, old, now)
}
