import type Stripe from 'stripe'
import { invalid, missing, nowhere } from '../errors.ts'
import { inRange, page, paging } from '../http/list.ts'
import { del, get, nothing, post } from '../http/route.ts'
import {
  clearable,
  decimal,
  integer,
  type Kind,
  list,
  metadata,
  oneOf,
  range,
  required,
  shape,
  text,
  timestamp,
} from '../http/schema.ts'
import type { CouponRow, Json } from '../rows.ts'
import { addMonths } from '../rules/billing-cycle.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import type { Shown } from '../shown.ts'
import type { World } from '../world.ts'
import { byCurrency, currency } from './currency-param.ts'
import { liveProduct } from './lookup.ts'

const URL = '/v1/coupons'

/** What is taken off in other currencies. https://docs.stripe.com/api/coupons/create#create_coupon-currency_options */
const amountsOff = byCurrency(shape({ amount_off: required(integer({ min: 1 })) }))

/** "A positive float larger than 0, and smaller or equal to 100". The refusal of what is too little as recorded. */
const percentOff: Kind<string> = {
  parse(raw, path) {
    const value = decimal.parse(raw, path)
    const is = `(it currently is '${Number(value).toFixed(Number.isInteger(Number(value)) ? 1 : 2)}')`
    if (Number(value) < 0.01) throw invalid(`This value must be greater than or equal to 0.01 ${is}.`, path)
    if (Number(value) > 100) throw invalid(`This value must be less than or equal to 100 ${is}.`, path)
    return value
  },
}

export const couponRoutes = [
  post(
    URL,
    shape({
      id: text(),
      name: text(40),
      percent_off: percentOff,
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
      if (percent === undefined && amount === undefined) {
        throw invalid('Must provide percent_off or amount_off.', undefined, 'parameter_missing')
      }
      if (percent !== undefined && amount !== undefined) {
        throw invalid('Received both percent_off and amount_off parameters. Please pass in only one.')
      }
      if (amount !== undefined && params.currency === undefined) {
        throw invalid('You must pass currency when passing amount_off', 'currency')
      }
      if (duration === 'repeating' && months === undefined) {
        const message =
          'The duration_in_months param must be set when creating a coupon with a repeating duration'
        throw invalid(message, 'duration')
      }
      if (duration !== 'repeating' && months !== undefined) {
        throw invalid('`duration_in_months` goes with `duration=repeating`.', 'duration_in_months')
      }
      refuseTime(world, params.redeem_by, 'redeem_by')
      if (params.id !== undefined) freeId(world, params.id)
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
  if (percent != null) {
    const message = 'You may only specify one of these parameters: currency_options, percent_off.'
    throw invalid(message, 'currency_options')
  }
  const amounts = Object.entries(given).map(([code, { amount_off: off }]) => [code, off] as const)
  return { amounts: { ...before, ...Object.fromEntries(amounts) } }
}

/** A coupon that was not deleted. */
export function liveCoupon(world: World, id: string, param?: string): CouponRow {
  const coupon = world.coupons.get(id)
  if (coupon !== undefined && !coupon.own.deleted) return coupon
  throw param === undefined ? nowhere('coupon', id, 'coupon') : missing('coupon', id, param)
}

/**
 * The id of a deleted coupon can be used again. Discounts that were made of the deleted one go on with it: it stays under
 * another id, which nobody sees. https://github.com/useautumn/autumn/pull/2260
 */
function freeId(world: World, id: string): void {
  const coupon = world.coupons.get(id)
  if (coupon === undefined) return
  if (!coupon.own.deleted) throw invalid('Coupon already exists.', 'id', 'resource_already_exists')
  const kept = world.ids.next('deleted_coupon')
  world.coupons.delete(id)
  world.coupons.insert({ ...coupon, id: kept, own: { ...coupon.own, formerly: id } })
  for (const discount of world.discounts.all()) {
    if (discount.own.coupon === id) {
      world.discounts.patch(discount.id, { own: { ...discount.own, coupon: kept } })
    }
  }
  for (const code of world.promotionCodes.all()) {
    if (code.promotion.coupon !== id || code.own.coupon !== undefined) continue
    world.promotionCodes.patch(code.id, { own: { ...code.own, coupon: kept } })
  }
}

const MONTHS_AHEAD = 60

/** When something can be redeemed last: in the future, and in the next five years. The words as recorded. */
export function refuseTime(world: World, at: number | undefined, param: string): void {
  if (at === undefined) return
  const now = world.now(null)
  if (at <= now) {
    const message = `The parameter \`${param}\` expects a unix timestamp representing a date and time in the future. You specified the value \`${at}\` which is in the past.`
    throw invalid(message, param)
  }
  if (at > addMonths(now, MONTHS_AHEAD)) {
    throw invalid('Invalid timestamp: can be no more than five years in the future.', param)
  }
}

/** Whether a coupon can still be redeemed. */
export function isRedeemable(coupon: CouponRow, at: number): boolean {
  if (coupon.own.deleted) return false
  const usedUp = coupon.max_redemptions !== null && coupon.times_redeemed >= coupon.max_redemptions
  return !usedUp && (coupon.redeem_by === null || coupon.redeem_by > at)
}

export function renderCoupon(world: World, { own, ...coupon }: CouponRow): Shown<Stripe.Coupon> {
  const valid = isRedeemable({ ...coupon, own }, world.now(null))
  return { ...coupon, id: own.formerly ?? coupon.id, valid }
}

/** The row that an answered coupon was made of: one that was deleted may have the id of another. */
function rowOf(world: World, coupon: Json): CouponRow {
  const row = world.coupons.must(coupon.id as string)
  const before = world.coupons.all().filter((other) => other.own.formerly === coupon.id)
  const isIt = (candidate: CouponRow) =>
    Object.entries(world.render(candidate)).every(
      ([field, value]) => field === 'metadata' || coupon[field] === value,
    )
  return [row, ...before].find(isIt) ?? row
}

export const couponExpansions = {
  coupon: {
    applies_to: (world: World, coupon: Json) => {
      const { products } = rowOf(world, coupon).own
      return products.length === 0 ? null : { products }
    },
    currency_options: (world: World, coupon: Json) => {
      const row = rowOf(world, coupon)
      if (row.currency === null) return null
      const all = { ...row.own.amounts, [row.currency]: row.amount_off }
      return Object.fromEntries(Object.entries(all).map(([code, off]) => [code, { amount_off: off }]))
    },
  },
}
