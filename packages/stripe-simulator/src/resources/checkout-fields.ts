import {
  bool,
  gaps,
  integer,
  list,
  metadata,
  oneOf,
  type Params,
  required,
  shape,
  text,
  timestamp,
} from '../http/schema.ts'
import { billingModeParam } from './billing-mode.ts'
import { discountParam } from './discounts.ts'
import { sharedFields } from './subscription-fields.ts'
import { taxRatesParam } from './tax-rates.ts'

/** The parameters of a hosted Checkout page. https://docs.stripe.com/api/checkout/sessions/create */
export const checkoutFields = {
  mode: required(oneOf(['payment', 'setup', 'subscription'] as const)),
  ui_mode: oneOf(['hosted_page'] as const),
  success_url: text(),
  cancel_url: text(),
  customer: text(),
  customer_email: text(800),
  customer_creation: oneOf(['always', 'if_required'] as const),
  client_reference_id: text(200),
  currency: text(3),
  expires_at: timestamp,
  metadata,
  allow_promotion_codes: bool,
  allowed_payment_method_types: list(oneOf(['card'] as const)),
  payment_method_collection: oneOf(['always', 'if_required'] as const),
  discounts: list(discountParam, 1),
  line_items: list(
    shape({
      price: required(text()),
      quantity: integer({ min: 1 }),
      tax_rates: taxRatesParam,
      ...gaps('price_data', 'adjustable_quantity', 'dynamic_tax_rates', 'metadata'),
    }),
    100,
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
    ...gaps('capture_method', 'receipt_email', 'shipping', 'statement_descriptor', 'transfer_data'),
  }),
  setup_intent_data: shape({ description: text(1000), metadata, ...gaps('on_behalf_of') }),
  ...gaps(
    'after_expiration',
    'automatic_tax',
    'billing_address_collection',
    'consent_collection',
    'custom_fields',
    'custom_text',
    'customer_account',
    'customer_update',
    'invoice_creation',
    'locale',
    'optional_items',
    'payment_method_options',
    'phone_number_collection',
    'return_url',
    'saved_payment_method_options',
    'shipping_address_collection',
    'shipping_options',
    'submit_type',
    'tax_id_collection',
  ),
}

export type CheckoutParams = Params<typeof checkoutFields>
