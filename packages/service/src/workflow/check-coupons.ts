import { type Coupon, whyNotRedeemable } from '@lockstep/core/coupon'
import type { Clock } from '../clock.ts'
import type { Db } from '../postgres/connect.ts'
import { readCoupons } from '../store/coupons.ts'
import type { Customer } from '../store/customers.ts'
import { providerIdsOf } from '../store/mappings.ts'
import type { PlanVersion } from '../store/plans.ts'
import { readTestClock } from '../store/test-clocks.ts'
import type { CodedFault } from './purchase/strategy.ts'
import type { WantedRegistration } from './wanted-registration.ts'

/** A coupon that a request names; undefined where there is none of that key. */
export interface NamedCoupon {
  readonly key: string
  readonly coupon: Coupon | undefined
}

export async function couponsOf(
  db: Db,
  { coupons = [] }: { readonly coupons?: readonly string[] | undefined },
): Promise<NamedCoupon[]> {
  if (coupons.length === 0) return []
  const known = new Map((await readCoupons(db)).map((coupon) => [coupon.key, coupon]))
  return coupons.map((key) => ({ key, coupon: known.get(key) }))
}

/** Nothing is left to be paid at the start. */
export const takesAll = (coupon: Coupon | undefined): boolean =>
  coupon?.reduction.kind === 'share' && coupon.reduction.basisPoints === 10_000

/** A coupon that does not hold is said before anything is recorded, never passed over. */
export async function couponFaults(
  deps: { readonly db: Db; readonly clock: Clock },
  wanted: Pick<WantedRegistration, 'testClock'>,
  coupons: readonly NamedCoupon[],
  { plan: { currency } }: PlanVersion,
  customer: Customer | undefined,
): Promise<CodedFault[]> {
  if (coupons.length === 0) return []
  const at = await timeOf(deps, customer?.testClockId ?? wanted.testClock ?? null)
  const told = await providerIdsOf(
    deps.db,
    'coupon',
    coupons.map(({ key }) => key),
  )
  return coupons.flatMap(({ key, coupon }, index): CodedFault[] => {
    const pointer = `#/coupons/${index}`
    if (!coupon) return [{ code: 'coupon_unknown', pointer, detail: `There is no coupon ${key}.` }]
    const why = whyNotRedeemable(coupon, { at, currency })
    if (why) return [{ pointer, ...why }]
    if (told.has(key)) return []
    const detail = `The coupon ${key} is not yet known to the provider: apply the catalogue again.`
    return [{ code: 'plan_not_published', pointer, detail }]
  })
}

async function timeOf({ db, clock }: { readonly db: Db; readonly clock: Clock }, testClock: string | null) {
  const known = testClock === null ? undefined : await readTestClock(db, testClock)
  return known?.frozenAt ?? clock.now()
}
