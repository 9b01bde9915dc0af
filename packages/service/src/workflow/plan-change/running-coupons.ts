import type { Db, Trx } from '../../postgres/connect.ts'
import { discountsSeen } from '../../store/provider-discounts.ts'

/** Of the coupons that a change redeemed, those of no discount that ran before. */
export async function notRunning(
  db: Db | Trx,
  coupons: readonly string[],
  discounts: readonly string[],
): Promise<readonly string[]> {
  if (coupons.length === 0 || discounts.length === 0) return coupons
  const running = new Set((await couponsOfDiscounts(db, discounts)).values())
  return coupons.filter((key) => !running.has(key))
}

/**
 * Keys of coupons by the provider's discounts that came of them, by themselves or by a promotion code; without those that
 * no coupon here is known of.
 */
async function couponsOfDiscounts(db: Db | Trx, ids: readonly string[]): Promise<Map<string, string>> {
  const seen = await discountsSeen(db, ids)
  return new Map(
    seen.flatMap(({ id, terms: { coupon } }) => (coupon === null ? [] : [[id, coupon] as const])),
  )
}
