import type Stripe from 'stripe'
import { invalid, missing, nowhere } from '../errors.ts'
import type { Expansions } from '../http/expand.ts'
import { inRange, page, paging } from '../http/list.ts'
import { get, nothing, post } from '../http/route.ts'
import { bool, clearable, list, metadata, oneOf, range, shape, text } from '../http/schema.ts'
import type { PriceOptionRow, PriceRow } from '../rows.ts'
import { defined } from '../rules/defined.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import type { Shown } from '../shown.ts'
import type { World } from '../world.ts'
import { currency } from './currency-param.ts'
import { expandedProduct } from './expanded.ts'
import { find, findAs, liveProduct } from './lookup.ts'
import { changePrice, claimLookupKey, createPrice, refuseLargeOptions } from './make-price.ts'
import { optionRow } from './price-amounts.ts'
import { currencyOptions, INTERVALS, priceFields, TAX_BEHAVIORS, USAGE_TYPES } from './price-fields.ts'

const URL = '/v1/prices'

type OptionGiven = ReturnType<typeof currencyOptions.parse>[string]

export const priceRoutes = [
  post(URL, shape(priceFields), ({ world, params }) => world.render(createPrice(world, params, false))),
  get(`${URL}/:id`, nothing, ({ world, path }) => world.render(livePrice(world, path()))),
  post(
    `${URL}/:id`,
    shape({
      active: bool,
      lookup_key: clearable(text(200)),
      transfer_lookup_key: bool,
      metadata,
      nickname: clearable(text()),
      tax_behavior: oneOf(TAX_BEHAVIORS),
      currency_options: clearable(currencyOptions),
    }),
    ({ world, params, path }) => {
      const price = livePrice(world, path())
      const { metadata: labels, transfer_lookup_key: transfer, currency_options, ...changes } = params
      if (changes.active === false) refuseDefault(world, price)
      if (changes.lookup_key != null && changes.lookup_key !== price.lookup_key) {
        claimLookupKey(world, changes.lookup_key, transfer ?? false)
      }
      if (changes.tax_behavior !== undefined) refuseOtherTax(price, changes.tax_behavior, 'tax_behavior')
      const next = changePrice(world, price.id, {
        ...defined(changes),
        metadata: mergeMetadata(price.metadata, labels),
        own: { ...price.own, ...changedCurrencies(price, currency_options) },
      } as Partial<PriceRow>)
      return world.render(next)
    },
  ),
  get(
    URL,
    shape({
      ...paging,
      active: bool,
      created: range,
      currency,
      lookup_keys: list(text(), 10),
      product: text(),
      recurring: shape({
        interval: oneOf(INTERVALS),
        usage_type: oneOf(USAGE_TYPES),
        meter: text(),
      }),
      type: oneOf(['one_time', 'recurring'] as const),
    }),
    ({ world, params }) => {
      if (params.product !== undefined) liveProduct(world, params.product, 'product')
      // Archived prices come only when they are asked for. https://docs.stripe.com/api/prices/list
      const active = params.active ?? true
      const [key, ...others] = params.lookup_keys ?? []
      return page(world.prices, params, {
        noun: 'price',
        url: URL,
        where:
          params.product !== undefined
            ? { index: 'product', key: params.product }
            : key !== undefined && others.length === 0
              ? { index: 'lookup_key', key }
              : null,
        matches: (row) =>
          !row.own.inline &&
          row.own.deleted !== true &&
          row.active === active &&
          (params.lookup_keys === undefined || params.lookup_keys.includes(row.lookup_key ?? '')) &&
          (params.currency === undefined || row.currency === params.currency) &&
          (params.type === undefined || row.type === params.type) &&
          (params.recurring?.interval === undefined ||
            row.recurring?.interval === params.recurring.interval) &&
          (params.recurring?.usage_type === undefined ||
            row.recurring?.usage_type === params.recurring.usage_type) &&
          (params.recurring?.meter === undefined || row.recurring?.meter === params.recurring.meter) &&
          inRange(row.created, params.created),
        render: (row) => world.render(row),
      })
    },
  ),
]

export const priceExpansions: Expansions = {
  price: {
    product: (world, price) => expandedProduct(world, price.product),
    tiers: (world, price) => world.prices.must(price.id as string).own.tiers ?? null,
    currency_options: (world, price) => allCurrencies(world.prices.must(price.id as string)),
    'currency_options.*.tiers': (_world, option) => tiersOf.get(option) ?? null,
  },
}

/** A price that was not deleted as a plan, by its path. */
function livePrice(world: World, id: string): PriceRow {
  const price = findAs('price', world.prices, 'price', id)
  if (price.own.deleted === true) throw nowhere('price', id, 'price')
  return price
}

/** The same where a parameter names it. */
export function namedPrice(world: World, id: string, param: string): PriceRow {
  const price = find(world.prices, 'price', id, param)
  if (price.own.deleted === true) throw missing('price', id, param)
  return price
}

/** A product's default price goes on being for sale until another one is the default. */
export function refuseDefault(world: World, price: PriceRow): void {
  if (world.products.get(price.product)?.default_price !== price.id) return
  throw invalid('This price cannot be archived because it is the default price of its product.')
}

/** Currencies are added and changed one by one, and all taken away by the empty text. */
function changedCurrencies(
  price: PriceRow,
  given: ReturnType<typeof currencyOptions.parse> | null | undefined,
) {
  if (given === undefined) return {}
  if (given === null) return { currencies: undefined }
  if (given[price.currency] !== undefined) {
    throw invalid(
      'You are specifying an update to a currency option that matches the top-level currency for this price. Please remove this currency option and update the top-level params instead.',
      `currency_options[${price.currency}]`,
    )
  }
  const changed = Object.fromEntries(
    Object.entries(given).map(([code, option]) => [code, changedOption(price, code, option)]),
  )
  refuseLargeOptions(changed)
  return { currencies: { ...price.own.currencies, ...changed } }
}

/** An option that is there keeps what is not given: its amount, and whether that includes tax, which is said once. */
function changedOption(price: PriceRow, code: string, given: OptionGiven): PriceOptionRow {
  const before = price.own.currencies?.[code]
  const param = `currency_options[${code}]`
  const { tax_behavior: behavior, ...amounts } = given
  if (before === undefined || Object.keys(amounts).length > 0) {
    const next = optionRow(given, price.own.tiers !== undefined, param)
    if (before === undefined) return next
    if (behavior === undefined) return { ...next, tax_behavior: before.tax_behavior }
    refuseOtherTax(before, behavior, `${param}[tax_behavior]`)
    return next
  }
  if (behavior === undefined) return before
  refuseOtherTax(before, behavior, `${param}[tax_behavior]`)
  return { ...before, tax_behavior: behavior }
}

function refuseOtherTax(
  { tax_behavior: before }: Pick<PriceOptionRow, 'tax_behavior'>,
  given: string,
  param: string,
): void {
  if (before === 'unspecified' || given === before) return
  throw invalid('You cannot update tax_behavior once it is set to inclusive or exclusive.', param)
}

/** The price's own currency is one of its options. https://docs.stripe.com/api/prices/object#price_object-currency_options */
function allCurrencies(price: PriceRow) {
  const { custom_unit_amount, tax_behavior, unit_amount, unit_amount_decimal, own } = price
  const first = { custom_unit_amount, tax_behavior, tiers: own.tiers, unit_amount, unit_amount_decimal }
  const options = Object.entries({ [price.currency]: first, ...own.currencies })
  return Object.fromEntries(options.map(([currency, option]) => [currency, shownOption(option)]))
}

/** Tiers are left out of an option too, unless they are asked for: `currency_options.eur.tiers`. */
function shownOption({ tiers, ...option }: { readonly tiers?: unknown }) {
  if (tiers !== undefined) tiersOf.set(option, tiers)
  return option
}

const tiersOf = new WeakMap<object, unknown>()

const rendered = new WeakMap<PriceRow, Shown<Stripe.Price>>()

/** Prices hardly change and are embedded everywhere, so a row is rendered once. */
export function renderPrice(_world: World, row: PriceRow): Shown<Stripe.Price> {
  let price = rendered.get(row)
  if (price === undefined) {
    const { own: _own, ...shown } = row
    price = shown
    rendered.set(row, price)
  }
  return price
}
