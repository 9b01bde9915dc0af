import type { Coupon } from '@lockstep/core/coupon'
import type { Instant } from '@lockstep/core/instant'
import { sql } from 'kysely'
import type { Db, Trx } from '../postgres/connect.ts'
import { writeCoupon } from './coupons.ts'
import { freeKey } from './free-key.ts'
import { STRIPE } from './mappings.ts'
import type { Row } from './schema.ts'
import { sqlTime } from './time.ts'

/** Writes a coupon that was made at the provider, under a key that a catalogue could have given it. Returns the key. */
export async function addInboundCoupon(
  trx: Trx,
  coupon: Omit<Coupon, 'key'> & { readonly products: readonly string[] },
  at: Instant,
): Promise<string> {
  const key = await freeKey(trx, coupon.name, ['coupon'])
  await writeCoupon(trx, { ...coupon, key }, at, 'provider')
  return key
}

/**
 * Its name is all that can change there; what the catalogue names is the catalogue's. `products`: undefined where nobody
 * said what it is good for.
 */
export async function followInboundCoupon(
  trx: Trx,
  key: string,
  { name, products }: { readonly name: string; readonly products: readonly string[] | undefined },
): Promise<void> {
  await trx
    .updateTable('coupon')
    .set({ name, archivedAt: null, ...(products && { products: JSON.stringify(products) }) })
    .where('key', '=', key)
    .where('origin', '=', 'provider')
    .execute()
}

/** Gone there: it cannot be redeemed any more; who has it keeps it. */
export async function archiveInboundCoupon(trx: Trx, key: string, at: Instant): Promise<void> {
  await trx
    .updateTable('coupon')
    .set({ archivedAt: sqlTime(at) })
    .where('key', '=', key)
    .where('origin', '=', 'provider')
    .where('archivedAt', 'is', null)
    .execute()
}

export type PromotionCode = Row<'promotionCode'>

/** As the provider says it is now. */
export async function writePromotionCode(
  trx: Trx,
  { at, ...row }: Pick<PromotionCode, 'id' | 'couponKey' | 'code' | 'isActive'> & { readonly at: Instant },
): Promise<void> {
  const seen = { ...row, seenAt: sqlTime(at) }
  await trx
    .insertInto('promotionCode')
    .values({ ...seen, provider: STRIPE })
    .onConflict((on) => on.columns(['provider', 'id']).doUpdateSet(seen))
    .execute()
}

/** Of coupons, by code. */
export async function promotionCodesOf(db: Db, couponKeys: readonly string[]): Promise<PromotionCode[]> {
  if (couponKeys.length === 0) return []
  return db
    .selectFrom('promotionCode')
    .selectAll()
    .where(sql<boolean>`coupon_key = any(${[...couponKeys]}::text[])`)
    .orderBy('code')
    .execute()
}
