import type Stripe from 'stripe'
import { invalid, missing } from '../errors.ts'
import { inRange, page, paging } from '../http/list.ts'
import { del, get, nothing, post } from '../http/route.ts'
import {
  clearable,
  decimal,
  integer,
  list,
  mapOf,
  metadata,
  oneOf,
  range,
  required,
  shape,
  text,
  timestamp,
} from '../http/schema.ts'
import type { CouponRow, Json } from '../rows.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import type { Shown } from '../shown.ts'
import type { World } from '../world.ts'
import { currency } from './currency-param.ts'
import { find, liveProduct } from './lookup.ts'

const URL = '/v1/coupons'

/** What is taken off in other currencies. https://docs.stripe.com/api/coupons/create#create_coupon-currency_options */
const amountsOff = mapOf(currency, shape({ amount_off: required(integer({ min: 1 })) }))

export const couponRoutes = [
  post(
    URL,
    shape({
      id: text(),
      name: text(40),
      percent_off: decimal,
      amount_off: integer({ min: 1 }),
      currency,
      duration: oneOf(['once', 'repeating', 'forever'] as const),
      duration_in_months: integer({ min: 1 }),
      max_redemptions: integer({ min: 1 }),
      redeem_by: timestamp,
      applies_to: shape({ products: list(text()) }),
      metadata,
      currency_options: amountsOff,
    }),
    ({ world, params }) => {
      const {
        percent_off: percent,
        amount_off: amount,
        duration = 'once',
        duration_in_months: months,
      } = params
      if ((percent === undefined) === (amount === undefined)) {
        throw invalid(
          'You must specify either `percent_off` or `amount_off`.',
          'percent_off',
          'parameter_missing',
        )
      }
      if (percent !== undefined && !(Number(percent) > 0 && Number(percent) <= 100)) {
        throw invalid('Invalid percent_off: must be greater than 0 and at most 100.', 'percent_off')
      }
      if (amount !== undefined && params.currency === undefined) {
        throw invalid('Missing required param: currency.', 'currency', 'parameter_missing')
      }
      if ((duration === 'repeating') !== (months !== undefined)) {
        throw invalid('`duration_in_months` goes with `duration=repeating`.', 'duration_in_months')
      }
      if (params.id !== undefined && world.coupons.get(params.id) !== undefined) {
        throw invalid('Coupon already exists.', 'id', 'resource_already_exists')
      }
      for (const [i, product] of (params.applies_to?.products ?? []).entries()) {
        liveProduct(world, product, `applies_to[products][${i}]`)
      }
      const coupon = world.coupons.insert({
        id: params.id ?? world.ids.secret(8),
        object: 'coupon',
        amount_off: amount ?? null,
        created: world.now(null),
        currency: amount === undefined ? null : (params.currency ?? null),
        duration,
        duration_in_months: months ?? null,
        livemode: false,
        max_redemptions: params.max_redemptions ?? null,
        metadata: mergeMetadata({}, params.metadata),
        name: params.name ?? null,
        percent_off: percent === undefined ? null : Number(percent),
        redeem_by: params.redeem_by ?? null,
        times_redeemed: 0,
        own: {
          products: params.applies_to?.products ?? [],
          percent: percent ?? null,
          ...otherAmounts(params.currency_options, percent),
        },
      })
      world.emit('coupon.created', coupon)
      return world.render(coupon)
    },
  ),
  get(`${URL}/:id`, nothing, ({ world, path }) => world.render(liveCoupon(world, path()))),
  post(
    `${URL}/:id`,
    shape({ name: clearable(text(40)), metadata, currency_options: amountsOff }),
    ({ world, params, path }) => {
      const coupon = liveCoupon(world, path())
      const next = world.coupons.patch(coupon.id, {
        ...(params.name === undefined ? {} : { name: params.name }),
        metadata: mergeMetadata(coupon.metadata ?? {}, params.metadata),
        own: {
          ...coupon.own,
          ...otherAmounts(params.currency_options, coupon.own.percent, coupon.own.amounts),
        },
      })
      world.emit('coupon.updated', next)
      return world.render(next)
    },
  ),
  get(URL, shape({ ...paging, created: range }), ({ world, params }) =>
    page(world.coupons, params, {
      noun: 'coupon',
      url: URL,
      where: null,
      matches: (row) => !row.own.deleted && inRange(row.created, params.created),
      render: (row) => world.render(row),
    }),
  ),
  del(`${URL}/:id`, nothing, ({ world, path }) => {
    const coupon = liveCoupon(world, path())
    // Discounts that were made of it go on: the row stays, out of sight.
    world.coupons.patch(coupon.id, { own: { ...coupon.own, deleted: true } })
    world.emit('coupon.deleted', coupon)
    return { id: coupon.id, object: 'coupon', deleted: true }
  }),
]

function otherAmounts(
  given: ReturnType<typeof amountsOff.parse> | undefined,
  percent: string | null | undefined,
  before: Record<string, number> = {},
): { amounts?: Record<string, number> } {
  if (given === undefined) return {}
  if (percent != null) throw invalid('`currency_options` go with `amount_off`.', 'currency_options')
  const amounts = Object.entries(given).map(([code, { amount_off: off }]) => [code, off] as const)
  return { amounts: { ...before, ...Object.fromEntries(amounts) } }
}

/** A coupon that was not deleted. */
export function liveCoupon(world: World, id: string, param?: string): CouponRow {
  const coupon = find(world.coupons, 'coupon', id, param)
  if (coupon.own.deleted) throw missing('coupon', id, param)
  return coupon
}

/** Whether a coupon can still be redeemed. */
export function isRedeemable(coupon: CouponRow, at: number): boolean {
  if (coupon.own.deleted) return false
  const usedUp = coupon.max_redemptions !== null && coupon.times_redeemed >= coupon.max_redemptions
  return !usedUp && (coupon.redeem_by === null || coupon.redeem_by > at)
}

export function renderCoupon(world: World, { own, ...coupon }: CouponRow): Shown<Stripe.Coupon> {
  return { ...coupon, valid: isRedeemable({ ...coupon, own }, world.now(null)) }
}

export const couponExpansions = {
  coupon: {
    applies_to: (world: World, coupon: Json) => {
      const { products } = world.coupons.must(coupon.id as string).own
      return products.length === 0 ? null : { products }
    },
    currency_options: (world: World, coupon: Json) => {
      const row = world.coupons.must(coupon.id as string)
      if (row.currency === null) return null
      const all = { [row.currency]: row.amount_off, ...row.own.amounts }
      return Object.fromEntries(Object.entries(all).map(([code, off]) => [code, { amount_off: off }]))
    },
  },
}
