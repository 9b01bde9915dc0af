import type { Discount } from '@lockstep/core/discount'
import type { Instant } from '@lockstep/core/instant'
import { sql } from 'kysely'
import type { Db, Trx } from '../postgres/connect.ts'
import { STRIPE } from './mappings.ts'
import { sqlTime } from './time.ts'

export interface SeenDiscount {
  /** The provider's id of it. */
  readonly id: string
  readonly terms: Discount
  /** The provider's products that it is good for; empty for all, null where nobody asked so far. */
  readonly products: readonly string[] | null
}

/** Written once: what a discount takes off never changes. */
export async function addDiscounts(db: Db | Trx, seen: readonly SeenDiscount[], at: Instant): Promise<void> {
  if (seen.length === 0) return
  await db
    .insertInto('providerDiscount')
    .values(
      seen.map(({ id, terms, products }) => ({
        ...{ provider: STRIPE, id, terms: JSON.stringify(terms), seenAt: sqlTime(at) },
        products: products && JSON.stringify(products),
      })),
    )
    .onConflict((on) =>
      on
        .columns(['provider', 'id'])
        .doUpdateSet({ products: sql`excluded.products` })
        .where('providerDiscount.products', 'is', null),
    )
    .execute()
}

/** Of the provider's discounts, those that were seen, in the order of their ids here. */
export async function discountsSeen(db: Db | Trx, ids: readonly string[]): Promise<SeenDiscount[]> {
  if (ids.length === 0) return []
  const rows = await db
    .selectFrom('providerDiscount')
    .select(['id', 'terms', 'products'])
    .where('provider', '=', STRIPE)
    .where('id', 'in', ids)
    .execute()
  return ids.flatMap((id) => rows.find((row) => row.id === id) ?? [])
}

/** Of these, the ones of which something is still to be asked. */
export async function discountsUnread(db: Db | Trx, ids: readonly string[]): Promise<Set<string>> {
  const seen = await discountsSeen(db, ids)
  const read = new Set(seen.flatMap(({ id, products }) => (products === null ? [] : [id])))
  return new Set(ids.filter((id) => !read.has(id)))
}
