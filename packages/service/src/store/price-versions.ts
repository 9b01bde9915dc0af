import { quantityOfItems } from '@lockstep/core/quantity-of-items'
import type { Db, Trx } from '../postgres/connect.ts'
import { isOneOf } from '../postgres/given.ts'
import { grouped } from '../postgres/grouped.ts'
import { type ProviderAccount, STRIPE } from './mappings.ts'

/** What one of the provider's prices is sold for here. */
export interface SoldFor {
  readonly versionId: string
  /** It costs the same for any number, and its item says nothing of how many there are. */
  readonly isFlat: boolean
  /** The price's key in its plan. */
  readonly key: string
}

/**
 * How many of a plan version stand there: the most of any item with a price of it that comes by number. A flat one says it
 * where it stands alone; several say nothing of it, and it is one. Undefined: none has one.
 */
export function quantityOf(
  items: readonly { readonly price: string; readonly quantity: number | null }[],
  versions: ReadonlyMap<string, SoldFor>,
  version: string | undefined,
): number | undefined {
  const its = items.filter(({ price }) => version !== undefined && versions.get(price)?.versionId === version)
  if (its.length === 0) return undefined
  const counted = its.filter(({ price }) => versions.get(price)?.isFlat === false)
  return quantityOfItems(counted.length > 0 ? counted : its.length === 1 ? its : [])
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
        'price.model',
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
        own.flatMap(({ providerId, planVersionId: versionId, model, key }): [string, SoldFor][] =>
          versionId === null || !prices.includes(providerId)
            ? []
            : [[providerId, { versionId, isFlat: model === 'flat', key }]],
        ),
      )
    })
  },
)
