import { retotal } from '../billing/invoices.ts'
import { invoiceItemLine } from '../billing/lines.ts'
import { isPricedIn, termsOf } from '../billing/periods.ts'
import { refuseTooLarge } from '../billing/refuse-unchargeable.ts'
import { gap, invalid } from '../errors.ts'
import type { MetadataParam } from '../http/schema.ts'
import type { InvoiceItemRow, InvoiceRow, PriceRow } from '../rows.ts'
import { formatDecimal, PICOS, parseDecimal, roundPicos } from '../rules/decimal.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import { priceAmount } from '../rules/pricing.ts'
import type { World } from '../world.ts'
import { amountPrice } from './amount-price.ts'
import { type DiscountGiven, lineDiscounts } from './discounts.ts'
import { find, liveCustomer, liveProduct } from './lookup.ts'
import { createPrice } from './make-price.ts'
import { taxRatesOf } from './tax-rates.ts'

/** A product that is made with a line. */
interface Named {
  readonly name: string
  readonly description?: string | undefined
  readonly images?: string[] | undefined
  readonly metadata?: MetadataParam | undefined
  readonly tax_code?: string | undefined
  readonly unit_label?: string | undefined
}

export interface ItemPricing {
  amount?: number | undefined
  currency?: string | undefined
  pricing?: { price?: string | undefined } | undefined
  price_data?:
    | {
        currency: string
        product?: string | undefined
        product_data?: Named | undefined
        unit_amount?: number | undefined
        unit_amount_decimal?: string | undefined
        tax_behavior?: 'exclusive' | 'inclusive' | 'unspecified' | undefined
      }
    | undefined
  quantity?: number | undefined
  quantity_decimal?: string | undefined
  unit_amount_decimal?: string | undefined
  tax_behavior?: 'exclusive' | 'inclusive' | 'unspecified' | undefined
  description?: string | null | undefined
  /** Whether `price_data` may be below zero, as it may where a subscription or a phase bills once. */
  mayCredit?: boolean | undefined
  /** Whether its price was named before: what is archived since is billed all the same. */
  mayBeArchived?: boolean | undefined
}

export interface NewInvoiceItem extends ItemPricing {
  customer?: string | undefined
  subscription?: string | undefined
  invoice?: string | undefined
  discountable?: boolean | undefined
  discounts?: readonly DiscountGiven[] | null | undefined
  metadata?: MetadataParam | undefined
  period?: { start: number; end: number } | undefined
  tax_rates?: readonly string[] | null | undefined
}

/** The name of a parameter inside another: `lines[0][amount]`, `pricing[price]` inside `lines[0]`. */
export function paramIn(prefix: string, name: string): string {
  return prefix === '' ? name : `${prefix}[${name.replace('[', '][').replace(/\]?$/, ']')}`
}

export interface Priced {
  readonly amount: number
  readonly currency: string
  readonly quantity: string
  readonly pricing: InvoiceItemRow['pricing']
  readonly name: string | null
  /** What the item says of its tax, where its price does not. */
  readonly taxBehavior?: InvoiceItemRow['own']['taxBehavior']
}

/**
 * The amount of an item: given outright, or a price or unit amount times a quantity, rounded once. `product` is
 * that of the price which the item has had by its amount.
 */
export function priceItem(
  world: World,
  given: ItemPricing,
  currency: string | undefined,
  prefix = '',
  product?: string,
): Priced {
  const priced = pricedBy(world, given, currency, prefix, product)
  refuseTooLarge(String(priced.amount), priced.currency, paramIn(prefix, 'amount'))
  return priced
}

function pricedBy(
  world: World,
  given: ItemPricing,
  currency: string | undefined,
  prefix: string,
  product: string | undefined,
): Priced {
  const param = (name: string) => paramIn(prefix, name)
  const ways = [given.amount, given.pricing?.price, given.price_data, given.unit_amount_decimal].filter(
    (way) => way !== undefined,
  )
  if (ways.length > 1) {
    throw invalid(
      'You may only specify one of these parameters: amount, pricing, price_data, unit_amount_decimal.',
      param('amount'),
    )
  }
  if (given.quantity !== undefined && given.quantity_decimal !== undefined) {
    throw invalid(
      'You may only specify one of these parameters: quantity, quantity_decimal.',
      param('quantity'),
    )
  }
  const quantity = formatDecimal(parseDecimal(given.quantity_decimal ?? String(given.quantity ?? 1)))
  if (given.amount !== undefined) {
    if (given.quantity !== undefined || given.quantity_decimal !== undefined) {
      throw invalid('You may only specify one of these parameters: amount, quantity.', param('amount'))
    }
    const billedIn = needCurrency(currency, param)
    const pricing = pricingOf(amountOf(world, given, String(given.amount), billedIn, product))
    return { amount: given.amount, currency: billedIn, quantity, pricing, name: null }
  }
  if (given.unit_amount_decimal !== undefined) {
    const unit = parseDecimal(given.unit_amount_decimal)
    const billedIn = needCurrency(currency, param)
    const pricing = pricingOf(amountOf(world, given, formatDecimal(unit), billedIn, product))
    return { amount: times(unit, quantity), currency: billedIn, quantity, pricing, name: null }
  }
  const price =
    given.price_data !== undefined
      ? inlinePrice(world, given.price_data, param('price_data'), given.mayCredit ?? false)
      : find(world.prices, 'price', given.pricing?.price ?? missingAmount(param), param('pricing[price]'))
  refuseUnlessOnce(price, param('pricing[price]'))
  if (given.mayBeArchived !== true) refuseArchived(price, param('pricing[price]'))
  const says = price.tax_behavior !== 'unspecified'
  if (says && given.tax_behavior !== undefined && given.tax_behavior !== price.tax_behavior) {
    throw gap('a `tax_behavior` other than that of a price that has one', param('tax_behavior'))
  }
  const billedIn =
    currency !== undefined && isPricedIn(price, currency.toLowerCase())
      ? currency.toLowerCase()
      : price.currency
  const terms = termsOf(price, billedIn)
  const amount = priceAmount(terms, quantity)
  return {
    amount,
    currency: billedIn,
    quantity,
    pricing: { ...pricingOf(price), unit_amount_decimal: terms.unit_amount_decimal },
    name: world.products.must(price.product).name,
    // "Only required if a default tax behavior was not provided": https://docs.stripe.com/api/invoiceitems/create
    taxBehavior: says ? undefined : given.tax_behavior,
  }
}

function amountOf(
  world: World,
  { description, tax_behavior: taxBehavior }: ItemPricing,
  unit: string,
  currency: string,
  product: string | undefined,
): PriceRow {
  return amountPrice(world, { unit, currency, description, product, taxBehavior })
}

function pricingOf(price: PriceRow): NonNullable<InvoiceItemRow['pricing']> {
  return {
    type: 'price_details',
    price_details: { price: price.id, product: price.product },
    unit_amount_decimal: price.unit_amount_decimal,
  }
}

/** What is billed once has a price without a rhythm, and an amount. */
export function refuseUnlessOnce(price: PriceRow, param: string): void {
  if (price.recurring !== null) {
    throw invalid(
      'The price specified is set to `type=recurring` but this field only accepts prices with `type=one_time`.',
      param,
    )
  }
  if (price.custom_unit_amount !== null) {
    throw invalid(
      'The price specified has a `custom_unit_amount`, which the customer chooses in Checkout or on a payment link only.',
      param,
    )
  }
}

/** What is billed anew has a price that is for sale. One that was made on the spot is on no list. */
export function refuseArchived(price: PriceRow, param: string): void {
  if (price.active || price.own.inline) return
  throw invalid('The price specified is inactive. This field only accepts active prices.', param)
}

function inlinePrice(
  world: World,
  data: NonNullable<ItemPricing['price_data']>,
  param: string,
  mayCredit: boolean,
) {
  const { product, product_data: named } = data
  if ((product === undefined) === (named === undefined)) {
    throw invalid(
      `You must specify either \`product\` or \`product_data\`.`,
      `${param}[product]`,
      'parameter_missing',
    )
  }
  if (product !== undefined) liveProduct(world, product, `${param}[product]`)
  const decimal =
    data.unit_amount_decimal ?? (data.unit_amount === undefined ? undefined : String(data.unit_amount))
  if (decimal === undefined)
    throw invalid(
      `Missing required param: ${param}[unit_amount].`,
      `${param}[unit_amount]`,
      'parameter_missing',
    )
  if (decimal.startsWith('-') && !mayCredit) {
    // Credits are made with a negative `amount` or `unit_amount_decimal`; a price of an item is never below zero.
    throw invalid(
      'This value must be greater than or equal to 0.',
      `${param}[unit_amount]`,
      'parameter_invalid_integer',
    )
  }
  return createPrice(
    world,
    {
      currency: data.currency.toLowerCase(),
      product,
      product_data: named,
      unit_amount_decimal: decimal,
      active: false,
      ...(data.tax_behavior === undefined ? {} : { tax_behavior: data.tax_behavior }),
    },
    true,
  )
}

function times(unitPicos: bigint, quantity: string): number {
  return roundPicos((unitPicos * parseDecimal(quantity)) / PICOS)
}

function needCurrency(currency: string | undefined, param: (name: string) => string): string {
  if (currency === undefined) {
    throw invalid(`Missing required param: ${param('currency')}.`, param('currency'), 'parameter_missing')
  }
  return currency.toLowerCase()
}

function missingAmount(param: (name: string) => string): never {
  throw invalid(
    'You must specify one of these parameters: amount, pricing, price_data, unit_amount_decimal.',
    param('amount'),
    'parameter_missing',
  )
}

/** A pending item, or a line of the given draft. https://docs.stripe.com/api/invoiceitems/create */
export function createInvoiceItem(world: World, given: NewInvoiceItem, prefix = ''): InvoiceItemRow {
  const param = (name: string) => paramIn(prefix, name)
  const invoice =
    given.invoice === undefined ? undefined : editableInvoice(world, given.invoice, param('invoice'))
  const subscription =
    given.subscription === undefined
      ? undefined
      : find(world.subscriptions, 'subscription', given.subscription, param('subscription'))
  const customerId = given.customer ?? subscription?.customer ?? invoice?.customer
  if (customerId == null) {
    throw invalid('Missing required param: customer.', param('customer'), 'parameter_missing')
  }
  const customer = liveCustomer(world, customerId, param('customer'))
  if (subscription !== undefined && subscription.customer !== customer.id) {
    throw invalid(
      `The subscription ${subscription.id} does not belong to the customer.`,
      param('subscription'),
    )
  }
  if (subscription?.status === 'canceled' || subscription?.status === 'incomplete_expired') {
    throw invalid('You cannot add an invoice item to a canceled subscription.', param('subscription'))
  }
  if (invoice !== undefined && invoice.customer !== customer.id) {
    throw invalid(`The invoice ${invoice.id} does not belong to the customer.`, param('invoice'))
  }
  const priced = priceItem(
    world,
    given,
    given.currency ?? invoice?.currency ?? subscription?.currency,
    prefix,
  )
  if (invoice !== undefined && priced.currency !== invoice.currency) {
    throw invalid(
      `The currency of the item must be that of the invoice, ${invoice.currency}.`,
      param('currency'),
    )
  }
  if (subscription !== undefined && priced.currency !== subscription.currency) {
    throw invalid(
      `The currency of the item must be that of the subscription, ${subscription.currency}.`,
      param('currency'),
    )
  }
  if (invoice === undefined && world.invoiceItems.count('pending', customer.id) >= 250) {
    throw invalid('A customer can have at most 250 pending invoice items.')
  }
  if (invoice !== undefined && invoice.own.lines.length >= 250) {
    throw invalid('An invoice can have at most 250 items.', param('invoice'))
  }
  const now = world.now(customer.own.clock)
  const id = world.ids.next('ii')
  const of = { customer: customer.id, currency: priced.currency, amount: priced.amount, invoiceItem: id }
  const discounts = lineDiscounts(
    world,
    given.discounts,
    { ...of, clock: customer.own.clock },
    param('discounts'),
  )
  const row = world.invoiceItems.insert({
    id,
    object: 'invoiceitem',
    amount: priced.amount,
    currency: priced.currency,
    customer: customer.id,
    customer_account: null,
    date: now,
    description: given.description ?? priced.name,
    discountable: given.discountable ?? priced.amount >= 0,
    discounts: discounts ?? [],
    invoice: invoice?.id ?? null,
    livemode: false,
    metadata: mergeMetadata({}, given.metadata),
    net_amount: priced.amount,
    parent:
      subscription === undefined
        ? null
        : { subscription_details: { subscription: subscription.id }, type: 'subscription_details' },
    period: checkedPeriod(given.period, param) ?? { start: now, end: now },
    pricing: priced.pricing,
    proration: false,
    quantity: Math.floor(Number(priced.quantity)),
    quantity_decimal: priced.quantity,
    tax_rates: taxRatesOf(world, given.tax_rates, param('tax_rates')),
    test_clock: customer.own.clock,
    own: {
      clock: customer.own.clock,
      subscription: subscription?.id ?? null,
      subscriptionItem: null,
      debit: false,
      taxBehavior: priced.taxBehavior,
    },
  })
  world.emit('invoiceitem.created', row)
  if (invoice !== undefined) addLine(world, invoice.id, row)
  return row
}

export function checkedPeriod(
  period: { start: number; end: number } | undefined,
  param: (name: string) => string = (name) => name,
): { start: number; end: number } | undefined {
  if (period !== undefined && period.end < period.start) {
    throw invalid('The end of the period must not be before its start.', param('period[end]'))
  }
  return period
}

/** Later additions come after what was there, oldest first. */
export function addLine(world: World, id: string, item: InvoiceItemRow): void {
  const invoice = world.invoices.must(id)
  const line = { ...invoiceItemLine(world, item), invoice: id }
  world.invoices.patch(id, { own: { ...invoice.own, lines: [...invoice.own.lines, line] } })
  world.emit('invoice.updated', retotal(world, id))
}

export function editableInvoice(world: World, id: string, param?: string): InvoiceRow {
  const invoice = find(world.invoices, 'invoice', id, param)
  if (invoice.status !== 'draft') {
    throw invalid('Invalid invoice: This invoice is no longer editable', param, 'invoice_not_editable')
  }
  return invoice
}
