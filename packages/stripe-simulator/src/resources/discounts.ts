import type Stripe from 'stripe'
import { amountOff, endDiscount } from '../billing/discounts.ts'
import { worthOf } from '../billing/periods.ts'
import { invalid, missing, type StripeError } from '../errors.ts'
import { diff } from '../events/diff.ts'
import type { Expansions } from '../http/expand.ts'
import { list, shape, text } from '../http/schema.ts'
import type { CouponRow, CustomerRow, DiscountRow, SubscriptionRow } from '../rows.ts'
import { addMonths } from '../rules/billing-cycle.ts'
import type { Shown } from '../shown.ts'
import type { World } from '../world.ts'
import type { PricedItem } from './changed-items.ts'
import { isRedeemable } from './coupons.ts'
import { expandedCustomer } from './expanded.ts'
import { couponOf, isActive, minimumIn } from './promotion-codes.ts'
import { mixedCurrencies } from './subscription-currency.ts'

export const discountParam = shape({ coupon: text(), discount: text(), promotion_code: text() })

/** Up to 20 of a subscription, an item of one or an invoice. https://docs.stripe.com/billing/subscriptions/coupons */
export const discountsParam = list(discountParam, 20)

export interface DiscountGiven {
  coupon?: string | undefined
  discount?: string | undefined
  promotion_code?: string | undefined
}

/** Whose discount it is to be, and of what. */
export interface Redeemer {
  readonly customer: string
  readonly currency: string
  /** What it comes to before anything is taken off, in the minor unit: some codes ask for a minimum. */
  readonly worth: () => number
  readonly invoice?: string
  readonly invoiceItem?: string
}

export interface DiscountedObject extends Redeemer {
  readonly subscription?: string
  readonly at: number
  readonly clock: string | null
}

/** A line by the invoice item that it is made of, or of a subscription's own by its invoice. */
interface DiscountedLine extends Pick<DiscountedObject, 'customer' | 'currency' | 'clock'> {
  readonly amount: number
  readonly invoiceItem?: string
  readonly invoice?: string
}

/**
 * Gives a customer a coupon, in the place of the one that they had, or takes that away. The API has no parameter for it
 * since 2025-03-31: it is done in the dashboard.
 * https://docs.stripe.com/changelog/basil/2025-03-31/deprecate-singular-coupon-promotion-code
 */
export function discountCustomer(world: World, customer: CustomerRow, coupon: string | null): void {
  const had = customerDiscount(world, customer.id)
  if (coupon === null) {
    if (had !== undefined) endDiscount(world, had)
    return
  }
  const clock = customer.own.clock
  const to = { customer: customer.id, currency: customer.currency ?? '', worth: () => 0 }
  const discount = redeem(world, world.coupons.must(coupon), null, { ...to, at: world.now(clock), clock })
  // A subscription lets go of its own when it renews, and what an invoice has, it keeps.
  if (discount.end !== null) world.alarm('discount.end', discount.id, clock, discount.end)
  if (had === undefined) {
    world.emit('customer.discount.created', discount)
    return
  }
  // "Occurs whenever a customer is switched from one coupon to another."
  // https://docs.stripe.com/api/events/types#event_types-customer.discount.updated
  world.discounts.patch(had.id, { own: { ...had.own, used: true } })
  const [before, after] = [world.render(had), world.render(discount)]
  world.emitSnapshot('customer.discount.updated', after, clock, diff(before, after), before)
}

/** The customer's own discount, which is of no subscription and no invoice. */
export function customerDiscount(world: World, customer: string): DiscountRow | undefined {
  return world.discounts
    .by('customer', customer)
    .find(
      ({ subscription, invoice, invoice_item: item, own }) =>
        subscription === null && invoice === null && item === null && !own.used,
    )
}

/** Redeems coupons and promotion codes into discounts; a discount that is named is kept. */
export function applyDiscounts(
  world: World,
  given: readonly DiscountGiven[],
  to: DiscountedObject,
  prefix = 'discounts',
): string[] {
  return given.map((entry, i) => {
    const refused = discountRefusal(world, entry, to, `${prefix}[${i}]`)
    if (refused !== null) throw refused
    if (entry.discount !== undefined) return entry.discount
    const code = world.promotionCodes.get(entry.promotion_code)
    if (code !== undefined) {
      world.promotionCodes.patch(code.id, { times_redeemed: code.times_redeemed + 1 })
    }
    const coupon = code === undefined ? world.coupons.must(entry.coupon) : couponOf(world, code)
    const discount = redeem(world, coupon, code?.id ?? null, to)
    world.emit('customer.discount.created', discount)
    return discount.id
  })
}

/** A subscription that redeems something, with its items as they are going to be. */
export function redeemer(
  world: World,
  { id, customer, currency, own }: SubscriptionRow,
  items: readonly PricedItem[],
): DiscountedObject {
  const worth = () => worthOf(world, items, currency)
  return { customer, currency, worth, subscription: id, at: world.now(own.clock), clock: own.clock }
}

/**
 * The discounts of one line of an invoice, or of the item that becomes one: a filled list replaces, an empty one
 * changes nothing, the empty text clears. https://docs.stripe.com/api/invoiceitems/create#create_invoiceitem-discounts
 */
export function lineDiscounts(
  world: World,
  given: readonly DiscountGiven[] | null | undefined,
  line: DiscountedLine,
  param: string,
): string[] | undefined {
  if (given === null) return []
  if (given === undefined || given.length === 0) return undefined
  const { amount, ...of } = line
  return applyDiscounts(world, given, { ...of, worth: () => amount, at: world.now(of.clock) }, param)
}

/** Why a customer cannot have a discount now; null if it can. */
export function discountRefusal(
  world: World,
  { discount: named, promotion_code: code, coupon }: DiscountGiven,
  to: Redeemer,
  param: string,
): StripeError | null {
  if (named !== undefined) {
    const discount = world.discounts.get(named)
    // Another customer's discount is as unknown as one that never was.
    if (discount?.customer !== to.customer || !isWithin(world, discount, to)) {
      return missing('discount', named, `${param}[discount]`)
    }
    return currencyRefusal(world.coupons.must(discount.own.coupon), to, `${param}[discount]`)
  }
  if (code !== undefined) return codeRefusal(world, code, to, `${param}[promotion_code]`)
  if (coupon === undefined) {
    return invalid('You must specify one of coupon, discount, promotion_code.', param, 'parameter_missing')
  }
  return couponRefusal(world, coupon, to, `${param}[coupon]`)
}

/**
 * An invoice, and what is on it, uses a discount "on the object (or one of its ancestors)": its own, its subscription's
 * and the customer's, while they are there. One that belongs to no subscription has none of a subscription's.
 * https://docs.stripe.com/api/invoices/create#create_invoice-discounts-discount
 */
function isWithin(world: World, discount: DiscountRow, to: Redeemer): boolean {
  const item = world.invoiceItems.get(to.invoiceItem)
  const invoice = world.invoices.get(to.invoice ?? (item?.invoice as string | null | undefined))
  // A draft keeps what it has, whatever became of it where it came from.
  if (invoice?.discounts.includes(discount.id)) return true
  if (discount.own.used) return false
  if (to.invoice === undefined && to.invoiceItem === undefined) return true
  const subscription = invoice?.own.subscription ?? item?.own.subscription ?? null
  const { subscription: of, invoice: ofInvoice, invoice_item: ofItem } = discount
  if (of !== null) return of === subscription
  if (ofInvoice !== null) return ofInvoice === invoice?.id
  return ofItem === null || ofItem === to.invoiceItem
}

function couponRefusal(world: World, id: string, to: Redeemer, param: string): StripeError | null {
  const coupon = world.coupons.get(id)
  if (coupon === undefined || coupon.own.deleted) return missing('coupon', id, param)
  return isRedeemable(coupon, world.now(null))
    ? currencyRefusal(coupon, to, param)
    : invalid(`Coupon expired: ${coupon.id}`, param, 'coupon_expired')
}

/**
 * An amount is taken off only in the currencies that the coupon names; others are refused like any other mix of
 * currencies. https://docs.stripe.com/billing/subscriptions/coupons
 */
function currencyRefusal(coupon: CouponRow, { currency }: Redeemer, param: string): StripeError | null {
  return coupon.amount_off === null || amountOff(coupon, currency) !== null
    ? null
    : mixedCurrencies(currency, param)
}

function codeRefusal(
  world: World,
  id: string,
  { customer, currency, worth }: Redeemer,
  param: string,
): StripeError | null {
  const code = world.promotionCodes.get(id)
  if (code === undefined) return missing('promotion code', id, param)
  if (!isActive(world, code)) {
    return invalid('This promotion code is inactive or used up.', param, 'coupon_expired')
  }
  if (code.customer !== null && code.customer !== customer) {
    return invalid('This promotion code belongs to another customer.', param)
  }
  if (code.restrictions.first_time_transaction && hasPaid(world, customer)) {
    return invalid(
      'This promotion code cannot be redeemed because the associated customer has prior transactions.',
      param,
    )
  }
  const least = minimumIn(code, currency)
  if (least === undefined) {
    return invalid(`This promotion code asks for a least purchase that is not in ${currency}.`, param)
  }
  if (least !== null && worth() < least) {
    return invalid(`This promotion code asks for a purchase of at least ${least} ${currency}.`, param)
  }
  return currencyRefusal(couponOf(world, code), { customer, currency, worth }, param)
}

/** "Customers without any successful payments or invoices." https://docs.stripe.com/api/promotion_codes/object */
function hasPaid(world: World, customer: string): boolean {
  return (
    world.charges.by('customer', customer).some((charge) => charge.paid) ||
    world.invoices.by('customer', customer).some((invoice) => invoice.status === 'paid')
  )
}

/** A payment without an invoice has no discount of its own; the coupon and the code count it all the same. */
export function redeemWithoutDiscount(world: World, given: readonly DiscountGiven[]): void {
  for (const { coupon, promotion_code: named } of given) {
    const code = world.promotionCodes.get(named)
    if (code !== undefined) world.promotionCodes.patch(code.id, { times_redeemed: code.times_redeemed + 1 })
    const row = code === undefined ? world.coupons.get(coupon) : couponOf(world, code)
    if (row !== undefined) world.coupons.patch(row.id, { times_redeemed: row.times_redeemed + 1 })
  }
}

function redeem(world: World, coupon: CouponRow, code: string | null, to: DiscountedObject): DiscountRow {
  world.coupons.patch(coupon.id, { times_redeemed: coupon.times_redeemed + 1 })
  return world.discounts.insert({
    id: world.ids.next('di'),
    object: 'discount',
    checkout_session: null,
    customer: to.customer,
    customer_account: null,
    end: coupon.duration === 'repeating' ? addMonths(to.at, coupon.duration_in_months ?? 0) : null,
    invoice: to.invoice ?? null,
    invoice_item: to.invoiceItem ?? null,
    promotion_code: code,
    source: { coupon: coupon.own.formerly ?? coupon.id, type: 'coupon' },
    start: to.at,
    subscription: to.subscription ?? null,
    subscription_item: null,
    own: { clock: to.clock, coupon: coupon.id, used: false },
  })
}

export const discountExpansions: Expansions = {
  discount: {
    'source.coupon': (world, source, { id }) => {
      const kept = world.discounts.get(id as string)?.own.coupon
      return world.render(world.coupons.must(kept ?? (source.coupon as string)))
    },
    customer: (world, row) => expandedCustomer(world, row.customer),
    promotion_code: (world, row) =>
      row.promotion_code === null
        ? null
        : world.render(world.promotionCodes.must(row.promotion_code as string)),
  },
}

export function renderDiscount(
  _world: World,
  { own: _own, ...discount }: DiscountRow,
): Shown<Stripe.Discount> {
  return discount
}
