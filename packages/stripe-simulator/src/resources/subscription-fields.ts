import { isMetered } from '../billing/metered.ts'
import { invalid } from '../errors.ts'
import {
  bool,
  clearable,
  gaps,
  integer,
  list,
  metadata,
  oneOf,
  playedOf,
  required,
  shape,
  text,
} from '../http/schema.ts'
import type { PriceRow, SubscriptionItemRow, SubscriptionRow } from '../rows.ts'
import type { World } from '../world.ts'
import { amount, decimalAmount } from './amount-param.ts'
import { currency } from './currency-param.ts'
import { discountsParam } from './discounts.ts'
import { daysUntilDue } from './due-params.ts'
import { methodType } from './method-type.ts'
import { accountTaxIds, accountTaxIdsOf } from './printed-fields.ts'
import { automaticTaxParam, taxRatesParam } from './tax-rates.ts'

export const SUBSCRIPTIONS_URL = '/v1/subscriptions'

export const itemFields = {
  price: text(),
  quantity: integer({ min: 0 }),
  metadata,
  tax_rates: taxRatesParam,
  price_data: shape({
    currency: required(currency),
    product: required(text()),
    recurring: required(
      shape({
        interval: required(oneOf(['day', 'week', 'month', 'year'] as const)),
        interval_count: integer({ min: 1 }),
      }),
    ),
    unit_amount: amount,
    unit_amount_decimal: decimalAmount,
    tax_behavior: oneOf(['exclusive', 'inclusive', 'unspecified'] as const),
  }),
  /** The former name of `price`. */
  plan: text(),
  billing_thresholds: clearable(shape({ usage_gte: required(integer({ min: 1 })) })),
  discounts: clearable(discountsParam),
  ...gaps('current_trial'),
}

/** Up to four lines at the top of an invoice. */
export const customFields = clearable(
  list(shape({ name: required(text(40)), value: required(text(140)) }), 4),
)

/** Parameters that creation and update share. */
export const sharedFields = {
  default_payment_method: text(),
  description: clearable(text(500)),
  metadata,
  off_session: bool,
  payment_settings: shape({
    save_default_payment_method: oneOf(['off', 'on_subscription'] as const),
    payment_method_types: clearable(list(methodType)),
    ...gaps('payment_method_options'),
  }),
  trial_settings: shape({
    end_behavior: required(
      shape({
        missing_payment_method: required(oneOf(['cancel', 'create_invoice', 'pause'] as const)),
        billing_cycle_anchor: oneOf(['now', 'unchanged'] as const),
      }),
    ),
  }),
  collection_method: oneOf(['charge_automatically', 'send_invoice'] as const),
  days_until_due: daysUntilDue,
  cancel_at_period_end: bool,
  proration_behavior: oneOf(['create_prorations', 'always_invoice', 'none'] as const),
  payment_behavior: oneOf([
    'allow_incomplete',
    'default_incomplete',
    'error_if_incomplete',
    'pending_if_incomplete',
  ] as const),
  discounts: clearable(discountsParam),
  default_tax_rates: taxRatesParam,
  pending_invoice_item_interval: clearable(
    shape({
      interval: required(oneOf(['day', 'week', 'month', 'year'] as const)),
      interval_count: integer({ min: 1 }),
    }),
  ),
  automatic_tax: automaticTaxParam,
  billing_thresholds: clearable(
    shape({ amount_gte: integer({ min: 50 }), reset_billing_cycle_anchor: bool }),
  ),
  invoice_settings: shape({
    custom_fields: customFields,
    description: clearable(text()),
    footer: clearable(text()),
    account_tax_ids: accountTaxIds,
    issuer: shape({ type: required(playedOf(['self'] as const, ['account'])) }),
  }),
  trial_from_plan: bool,
  default_source: text(),
  ...gaps('application_fee_percent', 'billing_schedules', 'on_behalf_of', 'transfer_data'),
}

type Given<K extends keyof typeof sharedFields> = ReturnType<(typeof sharedFields)[K]['parse']> | undefined

/** "Maximum of one year interval allowed (1 year, 12 months, or 52 weeks)": docs.stripe.com/api/subscriptions/create */
const INTERVALS_MAX = { day: 365, week: 52, month: 12, year: 1 }

export function intervalOf(
  given: Given<'pending_invoice_item_interval'>,
): SubscriptionRow['pending_invoice_item_interval'] {
  if (given == null) return null
  const { interval, interval_count: count = 1 } = given
  if (count > INTERVALS_MAX[interval]) {
    throw invalid(
      'Pending invoice items can have a maximum interval of one year.',
      'pending_invoice_item_interval[interval_count]',
    )
  }
  return { interval, interval_count: count }
}

/** https://docs.stripe.com/billing/subscriptions/usage-based/thresholds */
export function thresholdsOf(given: Given<'billing_thresholds'>): SubscriptionRow['billing_thresholds'] {
  if (given == null) return null
  return {
    amount_gte: given.amount_gte ?? null,
    reset_billing_cycle_anchor: given.reset_billing_cycle_anchor ?? false,
  }
}

/** A number of units that makes an invoice: of metered items only, since others are billed before. */
export function usageThresholdOf(
  price: PriceRow,
  given: ReturnType<typeof itemFields.billing_thresholds.parse> | undefined,
  at: string,
): SubscriptionItemRow['billing_thresholds'] {
  if (given == null) return null
  if (!isMetered(price)) {
    throw invalid('`billing_thresholds` need a metered price.', `${at}[billing_thresholds]`)
  }
  return { usage_gte: given.usage_gte }
}

/** What invoices of the subscription say; what is left out stays as it was. */
export function invoiceSettingsOf(
  world: World,
  given: Given<'invoice_settings'>,
  before?: SubscriptionRow['invoice_settings'],
): SubscriptionRow['invoice_settings'] {
  const present = before ?? {
    account_tax_ids: null,
    custom_fields: null,
    description: null,
    footer: null,
    issuer: { type: 'self' },
  }
  if (given === undefined) return present
  return {
    ...present,
    ...(given.account_tax_ids === undefined
      ? {}
      : {
          account_tax_ids: accountTaxIdsOf(world, given.account_tax_ids, 'invoice_settings[account_tax_ids]'),
        }),
    ...(given.custom_fields === undefined ? {} : { custom_fields: given.custom_fields }),
    ...(given.description === undefined ? {} : { description: given.description }),
    ...(given.footer === undefined ? {} : { footer: given.footer }),
  }
}
