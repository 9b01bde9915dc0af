import {
  bool,
  clearable,
  decimal,
  gaps,
  integer,
  list,
  metadata,
  oneOf,
  required,
  shape,
  text,
} from '../http/schema.ts'
import { discountParam } from './discounts.ts'
import { automaticTaxParam, taxRatesParam } from './tax-rates.ts'

export const SUBSCRIPTIONS_URL = '/v1/subscriptions'

export const itemFields = {
  price: text(),
  quantity: integer({ min: 0 }),
  metadata,
  tax_rates: taxRatesParam,
  price_data: shape({
    currency: required(text(3)),
    product: required(text()),
    recurring: required(
      shape({
        interval: required(oneOf(['day', 'week', 'month', 'year'] as const)),
        interval_count: integer({ min: 1 }),
      }),
    ),
    unit_amount: integer({ min: 0 }),
    unit_amount_decimal: decimal,
    tax_behavior: oneOf(['exclusive', 'inclusive', 'unspecified'] as const),
  }),
  ...gaps('plan', 'billing_thresholds', 'discounts', 'current_trial'),
}

/** Parameters that creation and update share. */
export const sharedFields = {
  default_payment_method: text(),
  description: clearable(text(500)),
  metadata,
  off_session: bool,
  payment_settings: shape({
    save_default_payment_method: oneOf(['off', 'on_subscription'] as const),
    payment_method_types: clearable(list(oneOf(['card'] as const))),
    ...gaps('payment_method_options'),
  }),
  trial_settings: shape({
    end_behavior: required(
      shape({
        missing_payment_method: required(oneOf(['cancel', 'create_invoice', 'pause'] as const)),
        ...gaps('billing_cycle_anchor'),
      }),
    ),
  }),
  collection_method: oneOf(['charge_automatically', 'send_invoice'] as const),
  days_until_due: integer({ min: 0 }),
  cancel_at_period_end: bool,
  proration_behavior: oneOf(['create_prorations', 'always_invoice', 'none'] as const),
  payment_behavior: oneOf([
    'allow_incomplete',
    'default_incomplete',
    'error_if_incomplete',
    'pending_if_incomplete',
  ] as const),
  discounts: clearable(list(discountParam)),
  default_tax_rates: taxRatesParam,
  pending_invoice_item_interval: clearable(
    shape({
      interval: required(oneOf(['day', 'week', 'month', 'year'] as const)),
      interval_count: integer({ min: 1 }),
    }),
  ),
  automatic_tax: automaticTaxParam,
  ...gaps(
    'application_fee_percent',
    'billing_schedules',
    'billing_thresholds',
    'default_source',
    'invoice_settings',
    'on_behalf_of',
    'transfer_data',
    'trial_from_plan',
  ),
}

export const addInvoiceItems = list(
  shape({
    price: required(text()),
    quantity: integer({ min: 1 }),
    metadata,
    tax_rates: taxRatesParam,
    ...gaps('price_data', 'discounts', 'period', 'discountable'),
  }),
  20,
)
