import type { Db } from '../postgres/connect.ts'
import { type EntityType, type ProviderAccount, STRIPE } from './mappings.ts'

const PAGE = 1000

/** The provider's ids of everything of a type that is linked, by id, in pages. */
export async function* mappedIds(
  db: Db,
  { account, livemode }: ProviderAccount,
  type: EntityType,
): AsyncGenerator<string[]> {
  for (let after = ''; ; ) {
    const rows = await db
      .selectFrom('mapping')
      .select('providerId')
      .where('provider', '=', STRIPE)
      .where('providerAccount', '=', account)
      .where('livemode', '=', livemode)
      .where('entityType', '=', type)
      .where('providerId', '>', after)
      .orderBy('providerId')
      .limit(PAGE)
      .execute()
    const last = rows.at(-1)
    if (last === undefined) return
    yield rows.map(({ providerId }) => providerId)
    after = last.providerId
  }
}

/** The provider's ids of the customers that live on a test clock. */
export async function customersOnClocks(db: Db, { account, livemode }: ProviderAccount): Promise<string[]> {
  const rows = await db
    .selectFrom('customer')
    .innerJoin('mapping', 'mapping.entityId', 'customer.id')
    .select('mapping.providerId')
    .where('customer.testClockId', 'is not', null)
    .where('mapping.entityType', '=', 'customer')
    .where('mapping.provider', '=', STRIPE)
    .where('mapping.providerAccount', '=', account)
    .where('mapping.livemode', '=', livemode)
    .orderBy('customer.id')
    .execute()
  return rows.map(({ providerId }) => providerId)
}
