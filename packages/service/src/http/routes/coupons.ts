import * as api from '@lockstep/api/coupons'
import { formatDecimal } from '@lockstep/core/decimal'
import { formatInstant } from '@lockstep/core/instant'
import { Problem } from '@lockstep/core/problem'
import type { Db } from '../../postgres/connect.ts'
import { couponsNamed, listCoupons, type StoredCoupon } from '../../store/coupons.ts'
import { type PromotionCode, promotionCodesOf } from '../../store/inbound-coupons.ts'
import { pageOf } from '../../store/page.ts'
import { moneyToApi } from '../money-to-api.ts'
import { type App, route } from '../route.ts'

/** Basis points are hundredths of a percent. */
const PERCENT_DIGITS = 2

/** Reductions that may be named when something is bought. */
export function couponRoutes(app: App, { db }: { readonly db: Db }): void {
  route(
    app,
    api.listCoupons,
  )(async ({ query }) => {
    const page = await pageOf(query.limit, async (limit) =>
      (await listCoupons(db, { ...query, limit })).map((coupon) => ({ id: coupon.key, coupon })),
    )
    const codes = await promotionCodesOf(
      db,
      page.data.map(({ id }) => id),
    )
    return { status: 200, body: { ...page, data: page.data.map(({ coupon }) => couponToApi(coupon, codes)) } }
  })

  route(
    app,
    api.readCoupon,
  )(async ({ params }) => {
    const coupon = (await couponsNamed(db, [params.key])).get(params.key)
    if (!coupon) throw new Problem('coupon_not_found', `There is no coupon ${params.key}.`)
    return { status: 200, body: couponToApi(coupon, await promotionCodesOf(db, [coupon.key])) }
  })
}

function couponToApi(
  { reduction, redeemBy, archivedAt, createdAt, ...coupon }: StoredCoupon,
  codes: readonly PromotionCode[],
) {
  const isShare = reduction.kind === 'share'
  return {
    ...coupon,
    percentOff: isShare ? formatDecimal(BigInt(reduction.basisPoints), PERCENT_DIGITS) : null,
    amountOff: isShare ? null : moneyToApi(reduction.amount),
    redeemBy: redeemBy === null ? null : formatInstant(redeemBy),
    promotionCodes: codes
      .filter(({ couponKey }) => couponKey === coupon.key)
      .map(({ id, code, isActive: active }) => ({ id, code, active })),
    archived: archivedAt !== null,
    createdAt: formatInstant(createdAt),
  }
}
