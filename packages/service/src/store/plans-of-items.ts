import { type ItemNumbers, numbersOf, quantityOfSold, type StandingItem } from '@lockstep/core/item-numbers'
import { isBilledByProvider, type Price } from '@lockstep/core/price'
import type { PriceRhythm } from '@lockstep/core/price-rhythm'
import { quantityOfItems } from '@lockstep/core/quantity-of-items'
import type { Db, Trx } from '../postgres/connect.ts'
import { planOfProduct, versionInRhythm } from './inbound-plans.ts'
import type { ProviderAccount } from './mappings.ts'
import { loadPlanVersion } from './plans.ts'
import { itemsOfVersion, versionsOfPrices } from './price-versions.ts'

/** What an item of a subscription is for, by the provider's ids. */
export interface PricedItem {
  readonly price: string
  readonly product: string
  readonly rhythm: PriceRhythm
  /** Null of one that does not come by number. */
  readonly quantity: number | null
}

/** What of a subscription's items is a plan's of ours. */
export interface PlanOfItems {
  readonly versionId: string
  /** Of the items that are this plan's; those of anything else are left out. */
  readonly quantity: number
  readonly itemNumbers: ItemNumbers
  /** The provider's prices that stand for it. */
  readonly prices: ReadonlySet<string>
}

/**
 * The plan version whose prices stand on a subscription, whoever put them there. Prices that are linked say it
 * exactly; of several versions' it is the one it is on already, or else the first item's, and what the others are for
 * is billed by the provider alone. Where none is linked, the product says which plan, and the rhythm which version: the
 * one it is on already, or else the newest. Where all of them are counted by the provider's own meters, no fee of that
 * version is paid. Undefined where they are of none of ours.
 */
export async function planOfItems(
  db: Db | Trx,
  account: ProviderAccount,
  items: readonly PricedItem[],
  standing?: string,
): Promise<PlanOfItems | undefined> {
  if (items.length === 0) return undefined
  const byPrice = await versionsOfPrices(
    db,
    account,
    items.map(({ price }) => price),
  )
  const sold = items.flatMap(({ price }) => byPrice.get(price)?.versionId ?? [])
  const versionId = sold.find((version) => version === standing) ?? sold[0]
  if (versionId !== undefined) {
    const its = items.filter(({ price }) => byPrice.get(price)?.versionId === versionId)
    const { plan } = await loadPlanVersion(db, versionId)
    const counted = countItems(plan.prices, itemsOfVersion(items, byPrice, versionId))
    return { versionId, ...counted, prices: new Set(its.map(({ price }) => price)) }
  }
  for (const { product, rhythm } of items) {
    const plan = await planOfProduct(db, account, product)
    if (plan === undefined) continue
    const its = items.filter((item) => item.product === product)
    const isStanding = standing !== undefined && (await isOf(db, standing, plan.key, rhythm))
    const version = isStanding ? standing : await versionInRhythm(db, plan.key, rhythm)
    if (version !== undefined) {
      const quantity = quantityOfItems(its)
      const isMetered = its.every((item) => item.quantity === null)
      const fees = isMetered
        ? (await loadPlanVersion(db, version)).plan.prices.filter(isBilledByProvider)
        : []
      return {
        ...{ versionId: version, quantity, itemNumbers: numbersOf(fees, [], quantity) },
        prices: new Set(its.map(({ price }) => price)),
      }
    }
  }
  return undefined
}

/** How many there are of what is sold at these prices by the items that stand there, and where one says something else. */
export function countItems(prices: readonly Price[], standing: readonly StandingItem[]) {
  const together = prices.filter(isBilledByProvider)
  const quantity = quantityOfSold(together, standing)
  return { quantity, itemNumbers: numbersOf(together, standing, quantity) }
}

/** Whoever is on a version stays there until rolled, though there be a newer one. */
async function isOf(
  db: Db | Trx,
  id: string,
  planKey: string,
  { currency, interval, intervalCount }: PriceRhythm,
): Promise<boolean> {
  const row = await db
    .selectFrom('planVersion')
    .select('id')
    .where('id', '=', id)
    .where('planKey', '=', planKey)
    .where('currency', '=', currency)
    .where('interval', '=', interval)
    .where('intervalCount', '=', intervalCount)
    .executeTakeFirst()
  return row !== undefined
}
