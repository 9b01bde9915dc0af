import {
  bool,
  gaps,
  integer,
  list,
  metadata,
  oneOf,
  type Params,
  playedOf,
  required,
  shape,
  text,
  timestamp,
} from '../http/schema.ts'
import { checkoutLocales } from '../rules/page-words.ts'
import { amount, decimalAmount } from './amount-param.ts'
import { billingModeParam } from './billing-mode.ts'
import { asksFields } from './checkout-asks.ts'
import { adjustableParam } from './checkout-quantities.ts'
import { currency } from './currency-param.ts'
import { discountParam } from './discounts.ts'
import { email } from './email-param.ts'
import { methodType } from './method-type.ts'
import { unitLabel } from './product-params.ts'
import { sharedFields } from './subscription-fields.ts'
import { automaticTaxParam, taxRatesParam } from './tax-rates.ts'

/** A price that is made for the session, with a product of its own if need be. */
const inlinePrice = shape({
  currency: required(currency),
  product: text(),
  product_data: shape({
    name: required(text()),
    description: text(),
    images: list(text(), 8),
    metadata,
    tax_code: text(),
    unit_label: unitLabel,
    ...gaps('tax_details'),
  }),
  recurring: shape({
    interval: required(oneOf(['day', 'week', 'month', 'year'] as const)),
    interval_count: integer({ min: 1 }),
  }),
  tax_behavior: oneOf(['exclusive', 'inclusive', 'unspecified'] as const),
  unit_amount: amount,
  unit_amount_decimal: decimalAmount,
})

/** The parameters of a hosted Checkout page. https://docs.stripe.com/api/checkout/sessions/create */
export const checkoutFields = {
  mode: required(oneOf(['payment', 'setup', 'subscription'] as const)),
  ui_mode: playedOf(['hosted_page'] as const, ['embedded_page', 'elements', 'form']),
  success_url: text(),
  cancel_url: text(),
  customer: text(),
  customer_email: email(800),
  customer_creation: oneOf(['always', 'if_required'] as const),
  client_reference_id: text(200),
  currency,
  expires_at: timestamp,
  metadata,
  allow_promotion_codes: bool,
  allowed_payment_method_types: list(methodType),
  payment_method_collection: oneOf(['always', 'if_required'] as const),
  discounts: list(discountParam, 1),
  line_items: list(
    shape({
      price: text(),
      price_data: inlinePrice,
      quantity: integer({ min: 1 }),
      tax_rates: taxRatesParam,
      adjustable_quantity: adjustableParam,
      metadata,
      ...gaps('dynamic_tax_rates'),
    }),
    100,
  ),
  optional_items: list(
    shape({
      price: required(text()),
      quantity: required(integer({ min: 1 })),
      adjustable_quantity: adjustableParam,
    }),
    10,
  ),
  subscription_data: shape({
    description: text(500),
    metadata,
    default_tax_rates: taxRatesParam,
    proration_behavior: oneOf(['create_prorations', 'none'] as const),
    billing_cycle_anchor: timestamp,
    trial_end: timestamp,
    trial_period_days: integer({ min: 1, max: 730 }),
    trial_settings: sharedFields.trial_settings,
    billing_mode: billingModeParam,
    ...gaps(
      'application_fee_percent',
      'invoice_settings',
      'on_behalf_of',
      'pending_invoice_item_interval',
      'transfer_data',
    ),
  }),
  payment_intent_data: shape({
    description: text(1000),
    metadata,
    setup_future_usage: oneOf(['off_session', 'on_session'] as const),
    capture_method: oneOf(['automatic', 'automatic_async', 'manual'] as const),
    ...gaps('receipt_email', 'shipping', 'statement_descriptor', 'transfer_data'),
  }),
  setup_intent_data: shape({ description: text(1000), metadata, ...gaps('on_behalf_of') }),
  automatic_tax: automaticTaxParam,
  billing_address_collection: oneOf(['auto', 'required'] as const),
  customer_update: shape({
    address: oneOf(['auto', 'never'] as const),
    name: oneOf(['auto', 'never'] as const),
    shipping: oneOf(['auto', 'never'] as const),
  }),
  invoice_creation: shape({
    enabled: required(bool),
    invoice_data: shape({
      description: text(1500),
      footer: text(),
      metadata,
      ...gaps('account_tax_ids', 'custom_fields', 'issuer', 'rendering_options'),
    }),
  }),
  locale: oneOf(checkoutLocales),
  submit_type: oneOf(['auto', 'book', 'donate', 'pay', 'subscribe'] as const),
  after_expiration: shape({ recovery: shape({ enabled: required(bool), allow_promotion_codes: bool }) }),
  ...asksFields,
  ...gaps('customer_account', 'payment_method_options', 'return_url', 'shipping_options'),
}

export type CheckoutParams = Params<typeof checkoutFields>

/** The parameters once every line names a price. */
export type PricedParams = Omit<CheckoutParams, 'line_items'> & {
  line_items?: (Omit<NonNullable<CheckoutParams['line_items']>[number], 'price' | 'price_data'> & {
    /** Of the line item. */
    id: string
    price: string
  })[]
}
