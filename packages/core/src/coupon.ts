import type { Instant } from './instant.ts'
import type { Money } from './money.ts'

export const couponDurations = ['once', 'repeating', 'forever'] as const

/** How long a reduction lasts: on one invoice, for some months, or as long as the subscription. */
export type CouponDuration = (typeof couponDurations)[number]

/** What is taken off: a share in hundredths of a percent (1 to 10,000), or an amount of one currency. */
export type Reduction =
  | { readonly kind: 'share'; readonly basisPoints: number }
  | { readonly kind: 'amount'; readonly amount: Money }

/** A reduction that may be named when something is bought. It never changes: another one is another coupon. */
export interface Coupon {
  readonly key: string
  /** Shown on invoices. */
  readonly name: string
  readonly reduction: Reduction
  readonly duration: CouponDuration
  /** Of a repeating one; null for the others. */
  readonly durationInMonths: number | null
  /** From this moment on it cannot be redeemed; null for never. Who has redeemed it keeps it. */
  readonly redeemBy: Instant | null
  /** By all customers together; null for no limit. */
  readonly maxRedemptions: number | null
}

/** Why a coupon cannot be redeemed at a time, in a currency, if it cannot. */
export function whyNotRedeemable(
  { key, reduction, redeemBy }: Coupon,
  { at, currency }: { readonly at: Instant; readonly currency: string },
): { readonly code: 'coupon_expired' | 'currency_mismatch'; readonly detail: string } | undefined {
  if (redeemBy !== null && at >= redeemBy)
    return { code: 'coupon_expired', detail: `The coupon ${key} can no longer be redeemed.` }
  if (reduction.kind === 'amount' && reduction.amount.currency !== currency) {
    const detail = `The coupon ${key} takes off ${reduction.amount.currency}, not ${currency}.`
    return { code: 'currency_mismatch', detail }
  }
  return undefined
}
