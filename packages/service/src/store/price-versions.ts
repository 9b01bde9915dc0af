import type { Db, Trx } from '../postgres/connect.ts'
import { grouped, isOneOf } from '../postgres/grouped.ts'
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
  return soldAt(db, { account, livemode, prices })
}

/** Of one account's prices; those of several are answered each by itself. */
const soldAt = grouped(
  async (db, all: readonly (ProviderAccount & { readonly prices: readonly string[] })[]) => {
    const rows = await db
      .selectFrom('mapping')
      .innerJoin('price', 'price.id', 'mapping.entityId')
      .select(['mapping.providerId', 'mapping.providerAccount', 'mapping.livemode', 'price.planVersionId'])
      .where('mapping.entityType', '=', 'price')
      .where('mapping.provider', '=', STRIPE)
      .where('mapping.providerAccount', 'in', [...new Set(all.map(({ account }) => account))])
      .where('mapping.livemode', 'in', [...new Set(all.map(({ livemode }) => livemode))])
      .where(isOneOf('mapping.provider_id', [...new Set(all.flatMap(({ prices }) => prices))]))
      .execute()
    return all.map(({ account, livemode, prices }) => {
      const own = rows.filter((row) => row.providerAccount === account && row.livemode === livemode)
      return new Map(
        own.flatMap(({ providerId, planVersionId }) =>
          planVersionId === null || !prices.includes(providerId) ? [] : [[providerId, planVersionId]],
        ),
      )
    })
  },
)
