import type { Coupon, CouponDuration } from '@lockstep/core/coupon'
import type { Instant } from '@lockstep/core/instant'
import type { Db, Trx } from '../postgres/connect.ts'
import type { Row } from './schema.ts'
import { sqlTime } from './time.ts'

/** What may be redeemed: nothing that is archived, and nothing that the catalogue does not name. */
export async function readCoupons(db: Db | Trx): Promise<Coupon[]> {
  const rows = await db
    .selectFrom('coupon')
    .selectAll()
    .where('archivedAt', 'is', null)
    .where('origin', '=', 'catalog')
    .orderBy('key')
    .execute()
  return rows.map(couponOf)
}

/** A coupon with what the catalogue did with it. */
export type StoredCoupon = Coupon & Pick<Row<'coupon'>, 'archivedAt' | 'createdAt' | 'origin' | 'products'>

export interface CouponFilter {
  readonly duration?: CouponDuration | undefined
  /** Those that take off an amount of it, and every share. */
  readonly currency?: string | undefined
  readonly archived: boolean
  readonly limit: number
  readonly after?: string | undefined
}

/** By key. */
export async function listCoupons(db: Db, filter: CouponFilter): Promise<StoredCoupon[]> {
  const { duration, currency, archived, limit, after } = filter
  let query = db
    .selectFrom('coupon')
    .selectAll()
    .where('archivedAt', archived ? 'is not' : 'is', null)
  if (duration !== undefined) query = query.where('duration', '=', duration)
  if (currency !== undefined)
    query = query.where((eb) => eb.or([eb('currency', 'is', null), eb('currency', '=', currency)]))
  if (after !== undefined) query = query.where('key', '>', after)
  const rows = await query.orderBy('key').limit(limit).execute()
  return rows.map(storedCouponOf)
}

/** Those of these keys, archived or not: who has redeemed one keeps it. */
export async function couponsNamed(
  db: Db | Trx,
  keys: readonly string[],
): Promise<ReadonlyMap<string, StoredCoupon>> {
  if (keys.length === 0) return new Map()
  const rows = await db.selectFrom('coupon').selectAll().where('key', 'in', keys).execute()
  return new Map(rows.map((row) => [row.key, storedCouponOf(row)]))
}

/** Those of them that were made at the provider, as a catalogue would have to name them. */
export async function inboundCoupons(db: Db | Trx, keys: readonly string[]): Promise<Coupon[]> {
  if (keys.length === 0) return []
  const rows = await db
    .selectFrom('coupon')
    .selectAll()
    .where('key', 'in', keys)
    .where('origin', '=', 'provider')
    .execute()
  return rows.map(couponOf)
}

/** Written once: one that is there is the same already. */
export async function writeCoupon(
  trx: Trx,
  { reduction, products = [], ...coupon }: Coupon & { readonly products?: readonly string[] },
  at: Instant,
  origin: Row<'coupon'>['origin'] = 'catalog',
): Promise<void> {
  const { redeemBy } = coupon
  const isShare = reduction.kind === 'share'
  await trx
    .insertInto('coupon')
    .values({
      ...coupon,
      origin,
      products: JSON.stringify(products),
      redeemBy: redeemBy === null ? null : sqlTime(redeemBy),
      basisPoints: isShare ? reduction.basisPoints : null,
      amount: isShare ? null : reduction.amount.minor,
      currency: isShare ? null : reduction.amount.currency,
      createdAt: sqlTime(at),
    })
    .onConflict((on) => on.column('key').doNothing())
    .execute()
}

function storedCouponOf(row: Row<'coupon'>): StoredCoupon {
  const { archivedAt, createdAt, origin, products } = row
  return { ...couponOf(row), archivedAt, createdAt, origin, products }
}

function couponOf({ basisPoints, amount, currency, ...row }: Row<'coupon'>): Coupon {
  const { key, name, duration, durationInMonths, redeemBy, maxRedemptions } = row
  const shared = { key, name, duration, durationInMonths, redeemBy, maxRedemptions }
  if (amount !== null && currency !== null)
    return { ...shared, reduction: { kind: 'amount', amount: { minor: amount, currency } } }
  if (basisPoints === null) throw new Error(`The coupon ${key} takes off nothing.`)
  return { ...shared, reduction: { kind: 'share', basisPoints } }
}
