import type { StandingItem } from '@lockstep/core/item-numbers'
import type { Db, Trx } from '../postgres/connect.ts'
import { isOneOf } from '../postgres/given.ts'
import { grouped } from '../postgres/grouped.ts'
import { type ProviderAccount, STRIPE } from './mappings.ts'

/** What one of the provider's prices is sold for here. */
export interface SoldFor {
  readonly versionId: string
  /** The price's key in its plan. */
  readonly key: string
}

/** What an item says, as one of a price of ours. */
interface Item {
  readonly price: string
  readonly quantity: number | null
}

/** Of these items, those that are of one version, by the keys of its prices. */
export function itemsOfVersion(
  items: readonly Item[],
  versions: ReadonlyMap<string, SoldFor>,
  version: string,
): StandingItem[] {
  return items.flatMap(({ price, quantity }) => {
    const sold = versions.get(price)
    return sold?.versionId === version ? [{ key: sold.key, quantity }] : []
  })
}

/** Of the provider's prices, those that are linked, each with the plan version that sells it. */
export async function versionsOfPrices(
  db: Db | Trx,
  { account, livemode }: ProviderAccount,
  prices: readonly string[],
): Promise<ReadonlyMap<string, SoldFor>> {
  return soldAt(db, { account, livemode, prices })
}

/** Of one account's prices; those of several are answered each by itself. */
const soldAt = grouped(
  async (db, all: readonly (ProviderAccount & { readonly prices: readonly string[] })[]) => {
    const rows = await db
      .selectFrom('mapping')
      .innerJoin('price', 'price.id', 'mapping.entityId')
      .select([
        'mapping.providerId',
        'mapping.providerAccount',
        'mapping.livemode',
        'price.planVersionId',
        'price.key',
      ])
      .where('mapping.entityType', '=', 'price')
      .where('mapping.provider', '=', STRIPE)
      .where('mapping.providerAccount', 'in', [...new Set(all.map(({ account }) => account))])
      .where('mapping.livemode', 'in', [...new Set(all.map(({ livemode }) => livemode))])
      .where(isOneOf('mapping.provider_id', [...new Set(all.flatMap(({ prices }) => prices))]))
      .execute()
    return all.map(({ account, livemode, prices }) => {
      const own = rows.filter((row) => row.providerAccount === account && row.livemode === livemode)
      return new Map(
        own.flatMap(({ providerId, planVersionId: versionId, key }): [string, SoldFor][] =>
          versionId === null || !prices.includes(providerId) ? [] : [[providerId, { versionId, key }]],
        ),
      )
    })
  },
)
