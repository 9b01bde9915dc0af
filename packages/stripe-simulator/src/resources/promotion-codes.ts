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
import type { CouponRow, PromotionCodeRow } from '../rows.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import type { Shown } from '../shown.ts'
import type { World } from '../world.ts'
import { isRedeemable, liveCoupon, refuseTime } from './coupons.ts'
import { byCurrency, currency } from './currency-param.ts'
import { expanded, expandedCustomer } from './expanded.ts'
import { findAs, liveCustomer } from './lookup.ts'

const URL = '/v1/promotion_codes'

/** https://docs.stripe.com/api/promotion_codes/create#create_promotion_code-restrictions-currency_options */
const minimums = byCurrency(shape({ minimum_amount: integer({ min: 1 }) }))

export const promotionCodeRoutes = [
  post(
    URL,
    shape({
      promotion: required(shape({ type: required(oneOf(['coupon'] as const)), coupon: text() })),
      code: text(500),
      active: bool,
      customer: text(),
      expires_at: timestamp,
      max_redemptions: integer({ min: 1 }),
      restrictions: shape({
        first_time_transaction: bool,
        minimum_amount: integer({ min: 1 }),
        minimum_amount_currency: currency,
        currency_options: minimums,
      }),
      metadata,
      ...gaps('customer_account'),
    }),
    ({ world, params }) => {
      if (params.promotion.coupon === undefined) {
        throw invalid('You must pass promotion.coupon when passing promotion', 'promotion.coupon')
      }
      const coupon = liveCoupon(world, params.promotion.coupon, 'promotion[coupon]')
      const customer = params.customer ?? null
      if (customer !== null) liveCustomer(world, customer, 'customer')
      refuseTime(world, params.expires_at, 'expires_at')
      const code = params.code ?? world.ids.secret(8).toUpperCase()
      if (!/^[A-Za-z0-9\-_]+$/.test(code)) {
        const pattern = String.raw`/\A[a-zA-Z0-9\-_]+\z/`
        const message = `This value must match the regex pattern. (${pattern} does not match for the value ${code}).`
        throw invalid(message, 'code')
      }
      if (params.active !== false) refuseTaken(world, code, customer)
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
      const others = otherMinimums(params.restrictions?.currency_options, of)
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
        customer,
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
        own: others,
      })
      world.emit('promotion_code.created', row)
      return world.render(row)
    },
  ),
  get(`${URL}/:id`, nothing, ({ world, path }) => world.render(codeOf(world, path()))),
  post(
    `${URL}/:id`,
    shape({ active: bool, metadata, restrictions: shape({ currency_options: minimums }) }),
    ({ world, params, path }) => {
      const row = codeOf(world, path())
      if (params.active === true && !isActive(world, row)) refuseInactive(world, row)
      const of = row.restrictions.minimum_amount_currency ?? undefined
      const next = world.promotionCodes.patch(row.id, {
        ...(params.active === undefined ? {} : { active: params.active }),
        metadata: mergeMetadata(row.metadata ?? {}, params.metadata),
        own: { ...row.own, ...otherMinimums(params.restrictions?.currency_options, of, row.own.minimums) },
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
    'promotion.coupon': (world, _promotion, { id }) =>
      expanded(world, couponOf(world, world.promotionCodes.must(id as string))),
    'restrictions.currency_options': (world, _restrictions, { id }) => minimumsOf(world, id as string),
  },
}

function codeOf(world: World, id: string): PromotionCodeRow {
  return findAs('promotion_code', world.promotionCodes, 'promotion code', id)
}

/** What it promotes, which may have been deleted, and its id used again. */
export function couponOf(world: World, { own, promotion }: PromotionCodeRow): CouponRow {
  return world.coupons.must(own.coupon ?? promotion.coupon)
}

/**
 * "You can create multiple customer-restricted promotion codes with the same code, but you cannot reuse that code for a
 * promotion code redeemable by any customer." https://stripe.com/docs/billing/subscriptions/discounts/codes
 */
function refuseTaken(world: World, code: string, customer: string | null): void {
  const taken = world.promotionCodes
    .by('code', code.toLowerCase())
    .some(
      (row) =>
        isActive(world, row) && (row.customer === null || customer === null || row.customer === customer),
    )
  if (taken) throw invalid(`An active promotion code with \`code: ${code}\` already exists.`)
}

/**
 * "A promotion code can only be reactivated when the coupon is still valid and the promotion code is otherwise
 * redeemable." https://docs.stripe.com/api/promotion_codes/update
 */
function refuseInactive(world: World, row: PromotionCodeRow): void {
  if (!isActive(world, { ...row, active: true })) {
    throw invalid(
      'This promotion code cannot be activated: it or its coupon can no longer be redeemed.',
      'active',
    )
  }
  refuseTaken(world, row.code, row.customer as string | null)
}

/** The least purchase in other currencies than that of the code itself; what an update does not name stays. */
function otherMinimums(
  given: ReturnType<typeof minimums.parse> | undefined,
  own: string | undefined,
  before: Record<string, number | null> = {},
): { minimums?: Record<string, number | null> } {
  if (given === undefined) return {}
  if (own !== undefined && own in given) {
    const param = `restrictions[currency_options][${own}]`
    throw invalid(`\`currency_options\` are of other currencies than ${own}.`, param)
  }
  const named = Object.entries(given).map(
    ([code, { minimum_amount: least }]) => [code, least ?? null] as const,
  )
  return { minimums: { ...before, ...Object.fromEntries(named) } }
}

/** What a purchase in this currency must come to; null where the code asks for nothing, undefined where it names it not. */
export function minimumIn({ own, restrictions }: PromotionCodeRow, code: string): number | null | undefined {
  const { minimum_amount: least, minimum_amount_currency: of } = restrictions
  if (least === null && own.minimums === undefined) return null
  return code === of ? least : own.minimums?.[code]
}

function minimumsOf(world: World, id: string): Record<string, { minimum_amount: number | null }> | null {
  const { own, restrictions } = world.promotionCodes.must(id)
  const { minimum_amount: least, minimum_amount_currency: of } = restrictions
  const all = { ...own.minimums, ...(of === null ? {} : { [of]: least }) }
  const named = Object.entries(all).map(([code, amount]) => [code, { minimum_amount: amount }] as const)
  return named.length === 0 ? null : Object.fromEntries(named)
}

/** Active only while it may be used and its coupon is valid. */
export function isActive(world: World, row: PromotionCodeRow): boolean {
  const now = world.now(null)
  const usedUp = row.max_redemptions !== null && row.times_redeemed >= row.max_redemptions
  const over = row.expires_at !== null && row.expires_at <= now
  return row.active && !usedUp && !over && isRedeemable(couponOf(world, row), now)
}

export function renderPromotionCode(world: World, row: PromotionCodeRow): Shown<Stripe.PromotionCode> {
  const { own: _own, ...shown } = row
  return { ...shown, active: isActive(world, row) }
}
