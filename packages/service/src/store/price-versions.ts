import { isBilledByProvider, type Price, type PriceModel } from '@lockstep/core/price'
import { quantityOfSold } from '@lockstep/core/quantity-of-items'
import type { Db, Trx } from '../postgres/connect.ts'
import { isOneOf } from '../postgres/given.ts'
import { grouped } from '../postgres/grouped.ts'
import { type ProviderAccount, STRIPE } from './mappings.ts'

/** What one of the provider's prices is sold for here. */
export interface SoldFor {
  readonly versionId: string
  readonly model: PriceModel['model']
  /** The price's key in its plan. */
  readonly key: string
}

/** How many there are of what is sold at these prices, see {@link quantityOfSold}. Undefined: none of its items stands there. */
export function quantityOf(
  items: readonly { readonly price: string; readonly quantity: number | null }[],
  versions: ReadonlyMap<string, SoldFor>,
  { id, prices }: { readonly id: string; readonly prices: readonly Price[] },
): number | undefined {
  const its = items.flatMap(({ price, quantity }) => {
    const sold = versions.get(price)
    return sold?.versionId === id ? [{ model: sold.model, quantity }] : []
  })
  return its.length === 0 ? undefined : quantityOfSold(prices.filter(isBilledByProvider), its)
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
          versionId === null || !prices.includes(providerId) ? [] : [[providerId, { versionId, model, key }]],
        ),
      )
    })
  },
)
