import { refuseNowhere } from '../billing/automatic-tax.ts'
import { gap, invalid } from '../errors.ts'
import type { CheckoutRow, PriceRow } from '../rows.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import type { World } from '../world.ts'
import { checkAsks } from './checkout-asks.ts'
import type { CheckoutParams, PricedParams } from './checkout-fields.ts'
import { checkAdjustable, checkQuantity } from './checkout-quantities.ts'
import type { DiscountGiven } from './discounts.ts'
import { inlinePrice } from './inline-price.ts'
import { find, liveProduct } from './lookup.ts'

/** Every line with a price: a named one, or one that is made for this session alone. */
export function priced(world: World, params: CheckoutParams): PricedParams {
  const { line_items: lines, ...rest } = params
  if (lines === undefined) return rest
  const made = ({ id: price }: PriceRow) => ({ id: world.ids.next('li'), price })
  const line_items = lines.map(({ price, price_data: data, ...line }, i) => {
    const at = `line_items[${i}]`
    if ((price === undefined) === (data === undefined)) {
      throw invalid('You must specify either `price` or `price_data`.', `${at}[price]`)
    }
    if (data === undefined) return { ...line, ...made(sold(world, price ?? '', `${at}[price]`)) }
    if (data.product !== undefined) liveProduct(world, data.product, `${at}[price_data][product]`)
    return { ...line, ...made(inlinePrice(world, data, at)) }
  })
  return { ...rest, line_items }
}

/** A price that is for sale, and so is its product. The sentences and their parameter as many have met them in their logs. */
function sold(world: World, id: string, param: string): PriceRow {
  const price = find(world.prices, 'price', id, param)
  if (!price.active) {
    throw invalid('The price specified is inactive. This field only accepts active prices.', param)
  }
  if (world.products.get(price.product)?.active === false) {
    throw invalid(
      `Price \`${id}\` is not available to be purchased because its product is not active.`,
      param,
    )
  }
  return price
}

/** What does not fit together in one session. */
export function checkSession(world: World, params: PricedParams): void {
  const { mode, line_items: lines = [], optional_items: optional = [] } = params
  checkWho(params)
  checkAsks(params)
  const prices = lines.map((line) => world.prices.must(line.price))
  const chosen = prices.findIndex((price) => price.custom_unit_amount !== null)
  if (chosen >= 0) throw gap('amounts that the customer chooses', `line_items[${chosen}][price]`)
  const offered = optional.map(({ price, quantity, adjustable_quantity: limits }, i) => {
    checkAdjustable(limits, quantity, `optional_items[${i}]`)
    return sold(world, price, `optional_items[${i}][price]`)
  })
  const isRecurring = ({ recurring }: PriceRow) => recurring !== null
  if (mode === 'payment' && [...prices, ...offered].some(isRecurring)) {
    throw invalid(
      'You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use only one-time prices.',
      'line_items',
    )
  }
  if (mode === 'subscription' && !prices.some(isRecurring)) {
    throw invalid('You must provide at least one recurring price in `subscription` mode.', 'line_items')
  }
  for (const [i, line] of lines.entries()) {
    checkQuantity(world, line, `line_items[${i}]`)
    checkAdjustable(line.adjustable_quantity, line.quantity ?? 1, `line_items[${i}]`)
  }
  for (const [i, { price, quantity }] of optional.entries()) {
    checkQuantity(world, { price, quantity }, `optional_items[${i}]`)
  }
  if (new Set([...prices, ...offered].map((price) => price.currency)).size > 1) {
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

/** Who buys, and what of them and of the payment fits the mode. As recorded of Stripe. */
function checkWho(params: PricedParams): void {
  const { mode, customer, customer_email: email, customer_creation: creation } = params
  if (customer !== undefined && email !== undefined) {
    throw invalid('You may only specify one of these parameters: customer, customer_email.', 'customer')
  }
  if (creation !== undefined && mode === 'subscription') {
    throw invalid('`customer_creation` can only be used in `payment` mode.', 'customer_creation')
  }
  if (params.payment_method_collection !== undefined && mode !== 'subscription') {
    const words = mode === 'setup' ? 'in `subscription` mode' : 'if there are recurring prices'
    throw invalid(`You can only set \`payment_method_collection\` ${words}.`, 'payment_method_collection')
  }
  const foreign = FOREIGN[mode].find((name) => params[name] !== undefined)
  if (foreign !== undefined) throw invalid(`You can not pass \`${foreign}\` in \`${mode}\` mode.`, foreign)
  const data = params.subscription_data
  if (data?.proration_behavior !== undefined && data.billing_cycle_anchor === undefined) {
    throw invalid(
      'The `proration_behavior` parameter can only be passed if a `billing_cycle_anchor` exists.',
      'subscription_data[proration_behavior]',
    )
  }
  if (
    mode === 'setup' &&
    params.currency === undefined &&
    params.allowed_payment_method_types === undefined
  ) {
    throw invalid('Missing required param: currency.', 'currency', 'parameter_missing')
  }
}

/** Parameters of other modes. */
const FOREIGN = {
  payment: ['setup_intent_data', 'subscription_data'],
  setup: ['line_items', 'optional_items', 'payment_intent_data', 'subscription_data', 'submit_type'],
  subscription: ['payment_intent_data', 'setup_intent_data'],
} as const

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
