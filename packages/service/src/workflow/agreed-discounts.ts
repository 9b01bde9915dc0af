import type { Coupon } from '@lockstep/core/coupon'
import { formatDecimal } from '@lockstep/core/decimal'
import { agreeDiscount, type Discount, type DiscountDuration } from '@lockstep/core/discount'
import type { Instant } from '@lockstep/core/instant'
import type { Db, Trx } from '../postgres/connect.ts'
import { couponsNamed } from '../store/coupons.ts'

/** What a contract says of the coupons that were redeemed: each runs and ends by itself. */
export async function agreedDiscounts(
  db: Db | Trx,
  keys: readonly string[],
  start: Instant,
): Promise<Discount[]> {
  if (keys.length === 0) return []
  const coupons = await couponsNamed(db, keys)
  return keys.map((key) => {
    const coupon = coupons.get(key)
    if (!coupon) throw new Error(`There is no coupon ${key}.`)
    return agreeDiscount({ ...termsOf(coupon), name: coupon.name, coupon: key }, start)
  })
}

function termsOf(coupon: Coupon): Pick<Discount, 'off' | 'duration'> {
  const { reduction } = coupon
  const duration = durationOf(coupon)
  if (reduction.kind === 'share')
    return { duration, off: { kind: 'percent', percent: formatDecimal(BigInt(reduction.basisPoints), 2) } }
  const { minor, currency } = reduction.amount
  return { duration, off: { kind: 'amount', minor: String(minor), currency } }
}

function durationOf({ key, duration, durationInMonths: months }: Coupon): DiscountDuration {
  if (duration !== 'repeating') return { kind: duration }
  if (months === null) throw new Error(`The coupon ${key} repeats for no number of months.`)
  return { kind: 'repeating', months }
}
