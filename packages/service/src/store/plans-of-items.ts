import type { PriceRhythm } from '@lockstep/core/price-rhythm'
import type { Db, Trx } from '../postgres/connect.ts'
import { planOfProduct, versionInRhythm } from './inbound-plans.ts'
import { type ProviderAccount, STRIPE } from './mappings.ts'

/** What an item of a subscription is for, by the provider's ids. */
export interface PricedItem {
  readonly price: string
  readonly product: string
  readonly rhythm: PriceRhythm
}

/**
 * The plan version whose prices stand on a subscription, whoever put them there. Prices that are linked say it
 * exactly. Where none is, the product says which plan, and the rhythm which version: the one it is on already, or
 * else the newest. Undefined where they are of none of ours, or of several.
 */
export async function planVersionOfItems(
  db: Db | Trx,
  account: ProviderAccount,
  items: readonly PricedItem[],
  standing?: string,
): Promise<string | undefined> {
  if (items.length === 0) return undefined
  const byPrice = await versionsOfPrices(db, account, items)
  if (byPrice.length > 0) return byPrice.length === 1 ? byPrice[0] : undefined
  for (const { product, rhythm } of items) {
    const plan = await planOfProduct(db, account, product)
    if (plan === undefined) continue
    if (standing !== undefined && (await isOf(db, standing, plan.key, rhythm))) return standing
    const version = await versionInRhythm(db, plan.key, rhythm)
    if (version !== undefined) return version
  }
  return undefined
}

async function versionsOfPrices(
  db: Db | Trx,
  { account, livemode }: ProviderAccount,
  items: readonly PricedItem[],
): Promise<string[]> {
  const rows = await db
    .selectFrom('mapping')
    .innerJoin('price', 'price.id', 'mapping.entityId')
    .select('price.planVersionId')
    .distinct()
    .where('price.planVersionId', 'is not', null)
    .$narrowType<{ planVersionId: string }>()
    .where('mapping.entityType', '=', 'price')
    .where('mapping.provider', '=', STRIPE)
    .where('mapping.providerAccount', '=', account)
    .where('mapping.livemode', '=', livemode)
    .where(
      'mapping.providerId',
      'in',
      items.map(({ price }) => price),
    )
    .execute()
  return rows.map(({ planVersionId }) => planVersionId)
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
