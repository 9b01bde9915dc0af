import type { Db, Trx } from '../postgres/connect.ts'
import { isOneOf } from '../postgres/grouped.ts'
import { type ProviderAccount, STRIPE } from './mappings.ts'

/** How many of a plan version stand there: the most of any item with a price of it, 1 at least. Undefined: none has one. */
export function quantityOf(
  items: readonly { readonly price: string; readonly quantity: number }[],
  versions: ReadonlyMap<string, string>,
  version: string | undefined,
): number | undefined {
  const its = items.filter(({ price }) => version !== undefined && versions.get(price) === version)
  return its.length === 0 ? undefined : Math.max(1, ...its.map(({ quantity }) => quantity))
}

/** Of the provider's prices, those that are linked, each with the plan version that sells it. */
export async function versionsOfPrices(
  db: Db | Trx,
  { account, livemode }: ProviderAccount,
  prices: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await db
    .selectFrom('mapping')
    .innerJoin('price', 'price.id', 'mapping.entityId')
    .select(['mapping.providerId', 'price.planVersionId'])
    .where('mapping.entityType', '=', 'price')
    .where('mapping.provider', '=', STRIPE)
    .where('mapping.providerAccount', '=', account)
    .where('mapping.livemode', '=', livemode)
    .where(isOneOf('mapping.provider_id', [...new Set(prices)]))
    .execute()
  return new Map(
    rows.flatMap(({ providerId, planVersionId }) =>
      planVersionId === null ? [] : [[providerId, planVersionId]],
    ),
  )
}
