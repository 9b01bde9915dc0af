import { refuseNowhere } from '../billing/automatic-tax.ts'
import { isMetered } from '../billing/metered.ts'
import { gap, invalid } from '../errors.ts'
import type { CheckoutRow } from '../rows.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import type { World } from '../world.ts'
import type { CheckoutParams, PricedParams } from './checkout-fields.ts'
import type { DiscountGiven } from './discounts.ts'
import { find, liveProduct } from './lookup.ts'
import { createPrice } from './make-price.ts'

/** Every line with a price: a named one, or one that is made for this session alone. */
export function priced(world: World, params: CheckoutParams): PricedParams {
  const { line_items: lines, ...rest } = params
  if (lines === undefined) return rest
  const line_items = lines.map(({ price, price_data: data, ...line }, i) => {
    const at = `line_items[${i}]`
    if ((price === undefined) === (data === undefined)) {
      throw invalid('You must specify either `price` or `price_data`.', `${at}[price]`)
    }
    if (data === undefined)
      return { ...line, price: find(world.prices, 'price', price ?? '', `${at}[price]`).id }
    if (data.product !== undefined) liveProduct(world, data.product, `${at}[price_data][product]`)
    const made = createPrice(world, { ...data, currency: data.currency.toLowerCase(), active: false }, true)
    return { ...line, price: made.id }
  })
  return { ...rest, line_items }
}

/** What does not fit together in one session. */
export function checkSession(world: World, params: PricedParams): void {
  const { mode, line_items: lines = [] } = params
  const prices = lines.map((line) => world.prices.must(line.price))
  const chosen = prices.findIndex((price) => price.custom_unit_amount !== null)
  if (chosen >= 0) throw gap('amounts that the customer chooses', `line_items[${chosen}][price]`)
  const recurring = prices.filter((price) => price.recurring !== null)
  if (mode === 'payment' && recurring.length > 0) {
    throw invalid(
      'You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use only one-time prices.',
      'line_items',
    )
  }
  if (mode === 'subscription' && recurring.length === 0) {
    throw invalid('You must provide at least one recurring price in `subscription` mode.', 'line_items')
  }
  if (mode === 'subscription' && prices.every(isMetered)) {
    throw gap('sessions of nothing but usage', 'line_items')
  }
  if (new Set(prices.map((price) => price.currency)).size > 1) {
    throw invalid('All prices of a session must be in one currency.', 'line_items')
  }
  if (mode !== 'payment' && params.invoice_creation !== undefined) {
    throw invalid('You can only create an invoice in `payment` mode.', 'invoice_creation')
  }
  if (params.allow_promotion_codes === true && params.discounts !== undefined) {
    throw invalid(
      'You may only specify one of these parameters: allow_promotion_codes, discounts.',
      'allow_promotion_codes',
    )
  }
  checkPlace(world, params)
}

/** A customer who is nowhere yet must be allowed to say on the page where that is. https://docs.stripe.com/tax/checkout */
function checkPlace(
  world: World,
  { automatic_tax: tax, customer, customer_update: update }: PricedParams,
): void {
  if (tax?.enabled !== true || customer === undefined || update?.address === 'auto') return
  refuseNowhere(world, customer)
}

/** The one discount of a session as it is shown. */
export function shownDiscounts(given: readonly DiscountGiven[] | undefined): CheckoutRow['discounts'] {
  return (given ?? []).map(({ coupon = null, promotion_code: code = null }) => ({
    coupon,
    promotion_code: code,
  }))
}

export function invoiceCreation({
  mode,
  invoice_creation: given,
}: PricedParams): CheckoutRow['invoice_creation'] {
  if (mode !== 'payment') return null
  const data = given?.invoice_data
  return {
    enabled: given?.enabled ?? false,
    invoice_data: {
      account_tax_ids: null,
      custom_fields: null,
      description: data?.description ?? null,
      footer: data?.footer ?? null,
      issuer: null,
      metadata: mergeMetadata({}, data?.metadata),
      rendering_options: null,
    },
  }
}
