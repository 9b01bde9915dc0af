import type { Discount } from '@lockstep/core/discount'
import type { Instant } from '@lockstep/core/instant'
import type { Db, Trx } from '../postgres/connect.ts'
import { STRIPE } from './mappings.ts'
import { sqlTime } from './time.ts'

export interface SeenDiscount {
  /** The provider's id of it. */
  readonly id: string
  readonly terms: Discount
}

/** Written once: what a discount takes off never changes. */
export async function addDiscounts(db: Db | Trx, seen: readonly SeenDiscount[], at: Instant): Promise<void> {
  if (seen.length === 0) return
  await db
    .insertInto('providerDiscount')
    .values(
      seen.map(({ id, terms }) => ({
        ...{ provider: STRIPE, id, terms: JSON.stringify(terms), seenAt: sqlTime(at) },
      })),
    )
    .onConflict((on) => on.doNothing())
    .execute()
}

/** Of the provider's discounts, those that were seen, in the order of their ids here. */
export async function discountsSeen(db: Db | Trx, ids: readonly string[]): Promise<SeenDiscount[]> {
  if (ids.length === 0) return []
  const rows = await db
    .selectFrom('providerDiscount')
    .select(['id', 'terms'])
    .where('provider', '=', STRIPE)
    .where('id', 'in', ids)
    .execute()
  return ids.flatMap((id) => rows.find((row) => row.id === id) ?? [])
}
