import { usualNumber } from '@lockstep/core/item-numbers'
import type { Price } from '@lockstep/core/price'
import { priceFee } from '@lockstep/core/pricing/price-fee'
import type { Db } from '../../postgres/connect.ts'
import { type UsageInterval, usageIntervalOf } from '../../provider/stripe/usage-interval.ts'
import { providerIdsOf } from '../../store/mappings.ts'
import type { PlanVersion } from '../../store/plans.ts'
import { providerPrices } from '../provider-prices.ts'
import { toldItem, wantedItems } from '../subscription-items.ts'
import type { Purchase } from './strategy.ts'

/** How a subscription is to begin: everything the provider is told of it but who it is for. */
export interface SubscriptionConfiguration {
  readonly items: readonly { readonly providerPrice: string; readonly quantity: number }[]
  readonly trialDays: number
  /** Of usage that is billed more often than the fees. */
  readonly usageInterval: UsageInterval | null
  readonly coupons: readonly string[]
  readonly automaticTax: boolean
  readonly metadata: Readonly<Record<string, string>>
}

/** Reads what the provider calls the prices, and merges what is known about the purchase. */
export async function configureSubscription(
  db: Db,
  { version, quantity, addons, coupons, tax, metadata, requestOrigin }: Purchase,
  { type, trialDays }: { readonly type: string; readonly trialDays: number },
): Promise<SubscriptionConfiguration> {
  return {
    items: (await wantedItems(db, { version, quantity, addons })).map(toldItem),
    trialDays,
    usageInterval: usageIntervalOf(version.plan),
    coupons: await couponsAtProvider(db, coupons),
    automaticTax: tax?.status === 'automatic',
    // The application's own facts first: what is ours is written over them.
    metadata: {
      ...metadata,
      lockstep_purchase: type,
      ...(requestOrigin !== null && { lockstep_origin: requestOrigin }),
    },
  }
}

export async function couponsAtProvider(db: Db, keys: readonly string[]): Promise<string[]> {
  const providerIds = await providerIdsOf(db, 'coupon', [...keys])
  return keys.map((key) => {
    const id = providerIds.get(key)
    if (id === undefined) throw new Error(`Coupon ${key} is not known to the provider.`)
    return id
  })
}

/** Whether a number of the plan's recurring prices costs anything. */
export function costsSomething(version: PlanVersion, quantity: number): boolean {
  const prices = providerPrices(version).map(({ price }) => price)
  const costs = (price: Price) => priceFee(price, BigInt(usualNumber(price, prices, quantity)))
  return prices.some((price) => costs(price).exact.scaled > 0n)
}
