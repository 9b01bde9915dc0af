import { refuseTooLarge } from '../billing/refuse-unchargeable.ts'
import { invalid } from '../errors.ts'
import { diff } from '../events/diff.ts'
import type { PriceOptionRow, PriceRow } from '../rows.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import { wholeAmount } from '../rules/pricing.ts'
import type { World } from '../world.ts'
import { liveProduct } from './lookup.ts'
import { createProduct } from './make-product.ts'
import { findMeter } from './meters.ts'
import { renderPlan } from './plan-view.ts'
import { amountText, checkAmounts, customRow, optionRow, tierRow } from './price-amounts.ts'
import type { PriceParams } from './price-fields.ts'

/** No unit and no tier costs more than Stripe charges at once. */
function refuseLarge(
  { unit_amount_decimal: unit, tiers = [] }: Pick<PriceOptionRow, 'unit_amount_decimal' | 'tiers'>,
  currency: string,
  prefix: string,
): void {
  const param = (name: string) => (prefix === '' ? name : `${prefix}[${name}]`)
  refuseTooLarge(unit ?? '0', currency, param('unit_amount'))
  for (const [i, step] of tiers.entries()) {
    refuseTooLarge(step.unit_amount_decimal ?? '0', currency, param(`tiers[${i}][unit_amount]`))
    refuseTooLarge(step.flat_amount_decimal ?? '0', currency, param(`tiers[${i}][flat_amount]`))
  }
}

export function refuseLargeOptions(currencies: Record<string, PriceOptionRow> = {}): void {
  for (const [code, option] of Object.entries(currencies)) {
    refuseLarge(option, code, `currency_options[${code}]`)
  }
}

/** Three years at most. https://docs.stripe.com/api/prices/create */
const MAX_COUNT = { day: 1095, week: 156, month: 36, year: 3 }
const HOW_OFTEN = { day: 'daily', week: 'weekly', month: 'monthly', year: 'yearly' }

/** Makes a price. An inline one belongs to the item it was made for and is on no list; a plan brings its own id. */
export function createPrice(world: World, params: PriceParams, inline: boolean, id?: string): PriceRow {
  const product = productOf(world, params)
  checkAmounts(params)
  const { recurring, lookup_key: lookupKey } = params
  if (recurring !== undefined) checkRecurring(world, recurring)
  if (lookupKey != null) claimLookupKey(world, lookupKey, params.transfer_lookup_key ?? false)
  const tiers = params.tiers?.map(tierRow)
  const amount = tiers === undefined ? amountText(params.unit_amount, params.unit_amount_decimal) : null
  if (params.currency_options?.[params.currency] !== undefined) {
    throw invalid(
      'You are specifying a currency option that matches the top-level currency for this price. Please remove this currency option and use the top-level params instead.',
      `currency_options[${params.currency}]`,
    )
  }
  const currencies = optionsOf(params, tiers !== undefined)
  refuseLarge({ unit_amount_decimal: amount, tiers }, params.currency, '')
  refuseLargeOptions(currencies)
  const price = world.prices.insert({
    id: id ?? world.ids.next('price'),
    object: 'price',
    active: params.active ?? true,
    billing_scheme: tiers === undefined ? 'per_unit' : 'tiered',
    created: world.now(null),
    currency: params.currency,
    custom_unit_amount: customRow(params.custom_unit_amount),
    livemode: false,
    lookup_key: lookupKey ?? null,
    metadata: mergeMetadata({}, params.metadata),
    nickname: params.nickname ?? null,
    product,
    recurring:
      recurring === undefined
        ? null
        : {
            interval: recurring.interval,
            interval_count: recurring.interval_count ?? 1,
            meter: recurring.meter ?? null,
            trial_period_days: recurring.trial_period_days ?? null,
            usage_type: recurring.usage_type ?? 'licensed',
          },
    tax_behavior: params.tax_behavior ?? 'unspecified',
    tiers_mode: tiers === undefined ? null : (params.tiers_mode ?? 'graduated'),
    transform_quantity: params.transform_quantity ?? null,
    type: recurring === undefined ? 'one_time' : 'recurring',
    unit_amount: wholeAmount(amount),
    unit_amount_decimal: amount,
    own: { inline, tiers, ...(currencies === undefined ? {} : { currencies }) },
  })
  world.emit('price.created', price)
  if (price.recurring !== null) world.emitSnapshot('plan.created', renderPlan(price), null)
  return price
}

function checkRecurring(world: World, recurring: NonNullable<PriceParams['recurring']>): void {
  const { interval } = recurring
  if ((recurring.interval_count ?? 1) > MAX_COUNT[interval]) {
    throw invalid(
      `The interval_count for ${HOW_OFTEN[interval]} prices can't be greater than ${MAX_COUNT[interval]}`,
      'recurring[interval_count]',
    )
  }
  if (recurring.usage_type !== 'metered') {
    if (recurring.meter === undefined) return
    throw invalid('`recurring[meter]` goes with `recurring[usage_type]=metered`.', 'recurring[meter]')
  }
  // Since basil a metered price counts by a meter. https://docs.stripe.com/changelog/basil/2025-03-31/deprecate-legacy-usage-based-billing
  if (recurring.meter === undefined) {
    throw invalid('Starting with Stripe version `2025-03-31.basil`, metered prices must be backed by meters.')
  }
  if (findMeter(world, recurring.meter, 'recurring[meter]').status === 'inactive') {
    throw invalid(`The meter ${recurring.meter} is inactive.`, 'recurring[meter]')
  }
}

/** The other currencies of a price; undefined when it has one only. */
function optionsOf(
  params: Pick<PriceParams, 'currency_options'>,
  tiered: boolean,
): Record<string, PriceOptionRow> | undefined {
  if (params.currency_options === undefined) return undefined
  const entries = Object.entries(params.currency_options)
  return Object.fromEntries(
    entries.map(([code, given]) => [code, optionRow(given, tiered, `currency_options[${code}]`)]),
  )
}

function productOf(world: World, params: PriceParams): string {
  const { product, product_data: data } = params
  if (product !== undefined && data !== undefined) {
    throw invalid('You may only specify one of these parameters: product, product_data.', 'product')
  }
  if (data !== undefined) return createProduct(world, data).id
  if (product !== undefined) return liveProduct(world, product, 'product').id
  throw invalid('You must specify either `product` or `product_data` when creating a price.')
}

/**
 * A lookup key is unique, among archived prices too; `transfer_lookup_key` takes it from the price that has it. The
 * refusals as recorded: github.com/Kiln-AI/stripe_world, cassette 07 (2026-08-26.dahlia).
 */
export function claimLookupKey(world: World, key: string, transfer: boolean): void {
  for (const holder of world.prices.by('lookup_key', key)) {
    if (!transfer) {
      throw invalid(`A price (\`${holder.id}\`) already uses that lookup key.`, 'lookup_key')
    }
    world.emit('price.updated', world.prices.patch(holder.id, { lookup_key: null }))
  }
}

/** Changes a price, which a recurring one tells twice: as price and as the plan that it also is. */
export function changePrice(world: World, id: string, changes: Partial<PriceRow>): PriceRow {
  const before = world.prices.must(id)
  const next = world.prices.patch(id, changes)
  world.emit('price.updated', next)
  if (next.recurring === null) return next
  const plan = renderPlan(next)
  const previous = diff(renderPlan(before), plan)
  if (Object.keys(previous).length > 0) world.emitSnapshot('plan.updated', plan, null, previous)
  return next
}
