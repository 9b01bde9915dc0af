import type Stripe from 'stripe'
import { invalid } from '../errors.ts'
import type { Expansions } from '../http/expand.ts'
import { inRange, page, paging } from '../http/list.ts'
import { get, nothing, post } from '../http/route.ts'
import {
  bool,
  gaps,
  integer,
  metadata,
  oneOf,
  range,
  required,
  shape,
  text,
  timestamp,
} from '../http/schema.ts'
import type { PromotionCodeRow } from '../rows.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import type { Shown } from '../shown.ts'
import type { World } from '../world.ts'
import { isRedeemable, liveCoupon } from './coupons.ts'
import { currency } from './currency-param.ts'
import { expanded, expandedCustomer } from './expanded.ts'
import { find, liveCustomer } from './lookup.ts'

const URL = '/v1/promotion_codes'

export const promotionCodeRoutes = [
  post(
    URL,
    shape({
      promotion: required(shape({ type: required(oneOf(['coupon'] as const)), coupon: required(text()) })),
      code: text(500),
      active: bool,
      customer: text(),
      expires_at: timestamp,
      max_redemptions: integer({ min: 1 }),
      restrictions: shape({
        first_time_transaction: bool,
        minimum_amount: integer({ min: 1 }),
        minimum_amount_currency: currency,
        ...gaps('currency_options'),
      }),
      metadata,
      ...gaps('customer_account'),
    }),
    ({ world, params }) => {
      const coupon = liveCoupon(world, params.promotion.coupon, 'promotion[coupon]')
      if (params.customer !== undefined) liveCustomer(world, params.customer, 'customer')
      const code = params.code ?? world.ids.secret(8).toUpperCase()
      if (!/^[A-Za-z0-9-]+$/.test(code))
        throw invalid('The code may have letters, digits and dashes.', 'code')
      const taken = world.promotionCodes
        .by('code', code.toLowerCase())
        .some((row) => row.active && row.customer === (params.customer ?? null))
      if (taken) throw invalid(`An active promotion code with \`code: ${code}\` already exists.`, 'code')
      const { minimum_amount: least, minimum_amount_currency: of } = params.restrictions ?? {}
      if ((least === undefined) !== (of === undefined)) {
        throw invalid(
          '`minimum_amount` and `minimum_amount_currency` go together.',
          least === undefined ? 'restrictions[minimum_amount]' : 'restrictions[minimum_amount_currency]',
          'parameter_missing',
        )
      }
      const max = params.max_redemptions
      if (max !== undefined && coupon.max_redemptions !== null && max > coupon.max_redemptions) {
        throw invalid("max_redemptions cannot be more than the coupon's.", 'max_redemptions')
      }
      if (
        params.expires_at !== undefined &&
        coupon.redeem_by !== null &&
        params.expires_at > coupon.redeem_by
      ) {
        throw invalid("expires_at cannot be after the coupon's redeem_by.", 'expires_at')
      }
      const row = world.promotionCodes.insert({
        id: world.ids.next('promo'),
        object: 'promotion_code',
        active: params.active ?? true,
        code,
        created: world.now(null),
        customer: params.customer ?? null,
        customer_account: null,
        expires_at: params.expires_at ?? null,
        livemode: false,
        max_redemptions: max ?? null,
        metadata: mergeMetadata({}, params.metadata),
        promotion: { coupon: coupon.id, type: 'coupon' },
        restrictions: {
          first_time_transaction: params.restrictions?.first_time_transaction ?? false,
          minimum_amount: least ?? null,
          minimum_amount_currency: of ?? null,
        },
        times_redeemed: 0,
        own: {},
      })
      world.emit('promotion_code.created', row)
      return world.render(row)
    },
  ),
  get(`${URL}/:id`, nothing, ({ world, path }) =>
    world.render(find(world.promotionCodes, 'promotion code', path())),
  ),
  post(
    `${URL}/:id`,
    shape({ active: bool, metadata, ...gaps('restrictions') }),
    ({ world, params, path }) => {
      const row = find(world.promotionCodes, 'promotion code', path())
      const next = world.promotionCodes.patch(row.id, {
        ...(params.active === undefined ? {} : { active: params.active }),
        metadata: mergeMetadata(row.metadata ?? {}, params.metadata),
      })
      world.emit('promotion_code.updated', next)
      return world.render(next)
    },
  ),
  get(
    URL,
    shape({
      ...paging,
      active: bool,
      code: text(),
      coupon: text(),
      created: range,
      customer: text(),
      ...gaps('customer_account'),
    }),
    ({ world, params }) =>
      page(world.promotionCodes, params, {
        noun: 'promotion code',
        url: URL,
        where: params.code === undefined ? null : { index: 'code', key: params.code.toLowerCase() },
        matches: (row) =>
          (params.active === undefined || isActive(world, row) === params.active) &&
          (params.coupon === undefined || row.promotion.coupon === params.coupon) &&
          (params.customer === undefined || row.customer === params.customer) &&
          inRange(row.created, params.created),
        render: (row) => world.render(row),
      }),
  ),
]

export const promotionCodeExpansions: Expansions = {
  promotion_code: {
    customer: (world, row) => expandedCustomer(world, row.customer),
    'promotion.coupon': (world, promotion) => expanded(world, world.coupons.get(promotion.coupon as string)),
  },
}

/** Active only while it may be used and its coupon is valid. */
export function isActive(world: World, row: PromotionCodeRow): boolean {
  const now = world.now(null)
  const usedUp = row.max_redemptions !== null && row.times_redeemed >= row.max_redemptions
  const over = row.expires_at !== null && row.expires_at <= now
  const coupon = world.coupons.get(row.promotion.coupon)
  return row.active && !usedUp && !over && coupon !== undefined && isRedeemable(coupon, now)
}

export function renderPromotionCode(world: World, row: PromotionCodeRow): Shown<Stripe.PromotionCode> {
  const { own: _own, ...shown } = row
  return { ...shown, active: isActive(world, row) }
}
