import type { Db } from '../postgres/connect.ts'
import { type EntityType, type ProviderAccount, STRIPE } from './mappings.ts'

const PAGE = 1000

export interface LinkedId {
  readonly entityId: string
  readonly providerId: string
}

/** Everything of a type that is linked, by the provider's id, in pages. */
export async function* linkedIds(
  db: Db,
  { account, livemode }: ProviderAccount,
  type: EntityType,
): AsyncGenerator<LinkedId[]> {
  for (let after = ''; ; ) {
    const rows = await db
      .selectFrom('mapping')
      .select(['entityId', 'providerId'])
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
    yield rows
    after = last.providerId
  }
}

/** The provider's ids of the test clocks that we know. */
export async function clockIds(db: Db): Promise<string[]> {
  const rows = await db
    .selectFrom('testClock')
    .select('providerId')
    .where('providerId', 'is not', null)
    .orderBy('id')
    .execute()
  return rows.flatMap(({ providerId }) => providerId ?? [])
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
