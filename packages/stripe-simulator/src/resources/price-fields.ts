import {
  bool,
  clearable,
  either,
  gaps,
  integer,
  list,
  mapOf,
  metadata,
  oneOf,
  type Params,
  required,
  shape,
  text,
} from '../http/schema.ts'
import { amount, decimalAmount } from './amount-param.ts'
import { currency } from './currency-param.ts'
import { statementDescriptor, trimmed, unitLabel } from './product-params.ts'

/** In the order in which Stripe names them to whoever sends another: github.com/crvouga/mockingbird, params.ts. */
export const INTERVALS = ['month', 'year', 'week', 'day'] as const
export const TAX_BEHAVIORS = ['inclusive', 'exclusive', 'unspecified'] as const
export const USAGE_TYPES = ['metered', 'licensed'] as const
/** Days of a trial that a price brings; a subscription asks for them with `trial_from_plan`. */
export const trialDays = integer({ min: 1, max: 730 })

const tier = shape({
  up_to: required(either(oneOf(['inf'] as const), integer({ min: 1 }))),
  unit_amount: amount,
  unit_amount_decimal: decimalAmount,
  flat_amount: amount,
  flat_amount_decimal: decimalAmount,
})

export const tiersParam = list(tier, 100)

/** The customer names the amount: on Checkout and payment links only. https://docs.stripe.com/payments/checkout/pay-what-you-want */
const customUnitAmount = shape({
  enabled: required(bool),
  maximum: integer({ min: 1 }),
  minimum: integer({ min: 1 }),
  preset: integer({ min: 0 }),
})

/** What the price costs in another currency, by its code. https://docs.stripe.com/products-prices/pricing-models#multicurrency */
export const currencyOptions = mapOf(
  currency,
  shape({
    custom_unit_amount: customUnitAmount,
    tax_behavior: oneOf(TAX_BEHAVIORS),
    tiers: tiersParam,
    unit_amount: amount,
    unit_amount_decimal: decimalAmount,
  }),
)

export const priceFields = {
  currency: required(currency),
  active: bool,
  billing_scheme: oneOf(['per_unit', 'tiered'] as const),
  currency_options: currencyOptions,
  custom_unit_amount: customUnitAmount,
  lookup_key: clearable(text(200)),
  transfer_lookup_key: bool,
  metadata,
  nickname: text(),
  product: text(),
  product_data: shape({
    name: required(trimmed()),
    id: text(),
    active: bool,
    metadata,
    statement_descriptor: statementDescriptor,
    unit_label: unitLabel,
    tax_code: text(),
    ...gaps('tax_details'),
  }),
  recurring: shape({
    interval: required(oneOf(INTERVALS)),
    interval_count: integer({ min: 1 }),
    trial_period_days: trialDays,
    usage_type: oneOf(USAGE_TYPES),
    meter: text(),
  }),
  tax_behavior: oneOf(TAX_BEHAVIORS),
  tiers: tiersParam,
  tiers_mode: oneOf(['graduated', 'volume'] as const),
  transform_quantity: shape({
    divide_by: required(integer({ min: 1 })),
    round: required(oneOf(['up', 'down'] as const)),
  }),
  unit_amount: amount,
  unit_amount_decimal: decimalAmount,
}

export type PriceParams = Params<typeof priceFields>
