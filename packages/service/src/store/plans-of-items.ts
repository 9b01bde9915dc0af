import type { PriceRhythm } from '@lockstep/core/price-rhythm'
import type { Db, Trx } from '../postgres/connect.ts'
import { planOfProduct, versionInRhythm } from './inbound-plans.ts'
import type { ProviderAccount } from './mappings.ts'
import { versionsOfPrices } from './price-versions.ts'

/** What an item of a subscription is for, by the provider's ids. */
export interface PricedItem {
  readonly price: string
  readonly product: string
  readonly rhythm: PriceRhythm
}

/**
 * The plan version whose prices stand on a subscription, whoever put them there. Prices that are linked say it
 * exactly; of several versions' it is the one it is on already, or else the first item's, and what the others are for
 * is billed by the provider alone. Where none is linked, the product says which plan, and the rhythm which version: the
 * one it is on already, or else the newest. Undefined where they are of none of ours.
 */
export async function planVersionOfItems(
  db: Db | Trx,
  account: ProviderAccount,
  items: readonly PricedItem[],
  standing?: string,
): Promise<string | undefined> {
  if (items.length === 0) return undefined
  const byPrice = await versionsOfPrices(
    db,
    account,
    items.map(({ price }) => price),
  )
  if (standing !== undefined && [...byPrice.values()].includes(standing)) return standing
  const first = items.find(({ price }) => byPrice.has(price))
  if (first) return byPrice.get(first.price)
  for (const { product, rhythm } of items) {
    const plan = await planOfProduct(db, account, product)
    if (plan === undefined) continue
    if (standing !== undefined && (await isOf(db, standing, plan.key, rhythm))) return standing
    const version = await versionInRhythm(db, plan.key, rhythm)
    if (version !== undefined) return version
  }
  return undefined
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
