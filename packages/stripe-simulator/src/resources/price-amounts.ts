import { invalid } from '../errors.ts'
import type { PriceOptionRow, PriceTierRow } from '../rows.ts'
import { formatDecimal, parseDecimal } from '../rules/decimal.ts'
import { wholeAmount } from '../rules/pricing.ts'
import type { currencyOptions, PriceParams, tiersParam } from './price-fields.ts'

type TiersGiven = ReturnType<typeof tiersParam.parse>
type OptionGiven = ReturnType<typeof currencyOptions.parse>[string]
type Amounts = Pick<PriceParams, 'unit_amount' | 'unit_amount_decimal' | 'custom_unit_amount' | 'tiers'>

/** A price has one way to name its amount: a unit amount, whole or decimal; the customer's own; or tiers. */
export function checkAmounts(params: PriceParams): void {
  const tiered = params.billing_scheme === 'tiered'
  if (tiered && params.recurring === undefined) {
    throw invalid('Prices with `type=one_time` are not supported with tiered billing.', 'interval')
  }
  if (tiered !== (params.tiers !== undefined)) {
    throw invalid('`tiers` and `billing_scheme=tiered` must be used together.', 'tiers')
  }
  checkOneWay(params, '')
  if (params.custom_unit_amount !== undefined && params.recurring !== undefined) {
    throw invalid('`custom_unit_amount` cannot be used with recurring prices.', 'custom_unit_amount')
  }
  if (!tiered) return
  if (params.tiers_mode === undefined) {
    throw invalid('Missing required param: tiers_mode.', 'tiers_mode', 'parameter_missing')
  }
  if (params.transform_quantity !== undefined) {
    throw invalid('`transform_quantity` cannot be combined with tiers.', 'transform_quantity')
  }
}

function checkOneWay(given: Amounts, prefix: string): void {
  const param = (name: string) => (prefix === '' ? name : `${prefix}[${name}]`)
  const { tiers, unit_amount: whole, unit_amount_decimal: fine, custom_unit_amount: custom } = given
  refuseBoth('unit_amount', given, prefix)
  const named = whole !== undefined || fine !== undefined
  if (tiers !== undefined) {
    if (named) throw invalid('You cannot set an unit amount on a price with tiers.', param('unit_amount'))
    checkTiers(tiers, param('tiers'))
    return
  }
  if (custom !== undefined) {
    if (!custom.enabled) {
      throw invalid(
        'Pass `true`, or leave `custom_unit_amount` out.',
        `${param('custom_unit_amount')}[enabled]`,
      )
    }
    if (named) {
      throw invalid(
        'You may only specify one of these parameters: unit_amount, custom_unit_amount.',
        param('custom_unit_amount'),
      )
    }
    return
  }
  if (!named) {
    throw invalid('Prices require an `unit_amount` or `unit_amount_decimal` parameter to be set.')
  }
}

type Amount = 'unit_amount' | 'flat_amount'

/** An amount is given whole or as a decimal, not both. */
function refuseBoth<N extends Amount>(
  name: N,
  given: { readonly [K in N | `${N}_decimal`]?: unknown },
  prefix: string,
): void {
  const fine = `${name}_decimal` as const
  if (given[name] === undefined || given[fine] === undefined) return
  throw invalid(
    `You may only specify one of these parameters: ${name}, ${fine}.`,
    prefix === '' ? name : `${prefix}[${name}]`,
  )
}

function checkTiers(tiers: TiersGiven, param: string): void {
  let below = 0
  for (const [i, step] of tiers.entries()) {
    refuseBoth('unit_amount', step, `${param}[${i}]`)
    refuseBoth('flat_amount', step, `${param}[${i}]`)
    const { unit_amount: unit, unit_amount_decimal: fine, flat_amount: flat, flat_amount_decimal } = step
    if ([unit, fine, flat, flat_amount_decimal].every((amount) => amount === undefined)) {
      throw invalid('An entry in the tiers array is missing an amount.', `${param}[${i}]`)
    }
    const last = i === tiers.length - 1
    const name = `${param}[${i}][up_to]`
    if (last !== (step.up_to === 'inf')) {
      throw invalid('The last tier, and only the last, must have `up_to` set to `inf`.', name)
    }
    if (step.up_to === 'inf') break
    if (step.up_to <= below) throw invalid('Tiers must be in ascending order of `up_to`.', name)
    below = step.up_to
  }
}

/** An amount in another currency takes the shape of the price: tiers for tiers, one amount for one. */
export function optionRow(given: OptionGiven, tiered: boolean, param: string): PriceOptionRow {
  checkOneWay(given, param)
  if (tiered !== (given.tiers !== undefined)) {
    throw invalid('Every currency of a price must use the same billing scheme.', param)
  }
  const amount = given.tiers === undefined ? amountText(given.unit_amount, given.unit_amount_decimal) : null
  return {
    custom_unit_amount: customRow(given.custom_unit_amount),
    tax_behavior: given.tax_behavior ?? 'unspecified',
    ...(given.tiers === undefined ? {} : { tiers: given.tiers.map(tierRow) }),
    unit_amount: wholeAmount(amount),
    unit_amount_decimal: amount,
  }
}

export function customRow(given: PriceParams['custom_unit_amount']) {
  if (given === undefined) return null
  return { maximum: given.maximum ?? null, minimum: given.minimum ?? null, preset: given.preset ?? null }
}

export function tierRow(step: TiersGiven[number]): PriceTierRow {
  const flat = amountText(step.flat_amount, step.flat_amount_decimal)
  const unit = amountText(step.unit_amount, step.unit_amount_decimal)
  return {
    flat_amount: wholeAmount(flat),
    flat_amount_decimal: flat,
    unit_amount: wholeAmount(unit),
    unit_amount_decimal: unit,
    up_to: step.up_to === 'inf' ? null : step.up_to,
  }
}

/** The amount as exact text: `unit_amount` is null where it is finer than the minor unit. */
export function amountText(whole: number | undefined, fine: string | undefined): string | null {
  if (whole !== undefined) return String(whole)
  return fine === undefined ? null : formatDecimal(parseDecimal(fine))
}
