import { createSubscription } from '../billing/create.ts'
import { schedulePendingItems } from '../billing/pending-interval.ts'
import { worthOf } from '../billing/periods.ts'
import { invalid, nowhere } from '../errors.ts'
import {
  either,
  gaps,
  integer,
  list,
  oneOf,
  type Params,
  required,
  shape,
  text,
  timestamp,
  timestampOrNow,
} from '../http/schema.ts'
import type { CustomerRow, PriceRow, SubscriptionRow } from '../rows.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import type { World } from '../world.ts'
import { billingModeOf, billingModeParam } from './billing-mode.ts'
import type { PricedItem } from './changed-items.ts'
import { currency as currencyParam } from './currency-param.ts'
import { ownMethod } from './customers.ts'
import { applyDiscounts } from './discounts.ts'
import { addExtraItems, extraItems } from './extra-items.ts'
import { sourceOf } from './sources.ts'
import { currencyOf, refuseMixed } from './subscription-currency.ts'
import { anchorConfig, cutTrial, datesOf } from './subscription-dates.ts'
import {
  intervalOf,
  invoiceSettingsOf,
  itemFields,
  sharedFields,
  thresholdsOf,
  usageThresholdOf,
} from './subscription-fields.ts'
import { itemPrice, itemQuantity } from './subscription-items.ts'
import { automaticTaxOf, taxRatesOf } from './tax-rates.ts'

export const createFields = {
  ...sharedFields,
  customer: required(text()),
  items: required(list(shape(itemFields), 20)),
  currency: currencyParam,
  billing_mode: billingModeParam,
  backdate_start_date: timestamp,
  billing_cycle_anchor: timestamp,
  billing_cycle_anchor_config: anchorConfig,
  cancel_at: either(timestamp, oneOf(['min_period_end', 'max_period_end'] as const)),
  trial_end: timestampOrNow,
  trial_period_days: integer({ min: 1, max: 730 }),
  add_invoice_items: extraItems,
  ...gaps('customer_account'),
}

type CreateParams = Params<typeof createFields>

/** "With the same Price": two of them are one item with a quantity. The parameter is named as it was before prices. */
function refuseTwice(prices: readonly PriceRow[]): void {
  const twice = prices.find(({ id }, i) => prices.slice(0, i).some((before) => before.id === id))
  if (twice === undefined) return
  throw invalid(
    `Cannot create a Subscription with multiple Subscription Items with the same Price: ${twice.id}`,
    'plan',
  )
}

/** Named in the body, and refused as if it stood in the path, but for the name: as recorded. */
function subscriber(world: World, id: string): CustomerRow {
  const customer = world.customers.get(id)
  if (customer === undefined || customer.own.deleted) throw nowhere('customer', id, 'customer')
  return customer
}

/** Reads what was asked for, refuses what cannot be, and starts the subscription. */
export function create(
  world: World,
  params: CreateParams,
  schedule: string | null = null,
  phase?: { start: number; end: number },
): SubscriptionRow {
  const customer = subscriber(world, params.customer)
  const clock = customer.own.clock
  const now = world.now(clock)
  refuseTooMany(world, customer)
  if (params.items.length === 0) throw invalid('Missing required param: items.', 'items', 'parameter_missing')
  const mode = billingModeOf(params.billing_mode)
  const flexible = mode.type === 'flexible'
  // A schedule chose its tax rates when they were active.
  const chosen = (rates: readonly string[] | null | undefined) =>
    schedule === null ? [] : (rates ?? []).map((id) => ({ id }))
  // As with tax rates: those of a schedule may have been archived since.
  const prices = params.items.map((item, i) =>
    schedule === null ? itemPrice(world, item, `items[${i}]`) : world.prices.must(item.price),
  )
  if (schedule === null) refuseTwice(prices)
  const currency = currencyOf(prices, customer.currency ?? null, params.currency)
  refuseMixed(mode, prices)
  const priced = params.items.map((item, i) => {
    const price = prices[i] as PriceRow
    return { price: price.id, quantity: itemQuantity(price, item.quantity, `items[${i}]`) }
  })
  const redeems = (of: readonly PricedItem[]) => ({
    customer: customer.id,
    currency,
    worth: () => worthOf(world, of, currency),
    at: now,
    clock,
  })
  const items = params.items.map((item, i) => {
    const own = priced[i] as PricedItem
    return {
      ...own,
      metadata: mergeMetadata({}, item.metadata),
      taxRates: taxRatesOf(world, item.tax_rates, `items[${i}][tax_rates]`, chosen(item.tax_rates)),
      thresholds: usageThresholdOf(prices[i] as PriceRow, item.billing_thresholds, `items[${i}]`),
      discounts: applyDiscounts(world, item.discounts ?? [], redeems([own]), `items[${i}][discounts]`),
    }
  })
  check(world, params, customer)
  // "Always resolves to the earliest item period end." https://docs.stripe.com/changelog/basil/2025-07-30/cancel-at-enums
  const cancelAt = params.cancel_at_period_end === true ? 'min_period_end' : (params.cancel_at ?? null)
  if (typeof cancelAt === 'number' && cancelAt <= now) {
    throw invalid('`cancel_at` must be in the future.', 'cancel_at')
  }
  const asked = datesOf(params, prices, now, flexible)
  const trialEnd = cutTrial(mode, asked.trialEnd, typeof cancelAt === 'number' ? cancelAt : null)
  const dates =
    trialEnd === asked.trialEnd ? asked : datesOf({ ...params, ...endedAt(trialEnd) }, prices, now, flexible)
  const discounts = applyDiscounts(world, params.discounts ?? [], redeems(priced))
  const started = createSubscription(world, {
    clock,
    items,
    start: dates.start,
    trialEnd: dates.trialEnd,
    cancelAt,
    paymentBehavior: params.payment_behavior ?? 'allow_incomplete',
    prorationBehavior: params.proration_behavior ?? 'create_prorations',
    offSession: params.off_session ?? false,
    scheduled: schedule !== null,
    extras: (id) => addExtraItems(world, id, params.add_invoice_items ?? [], phase),
    row: {
      application: null,
      application_fee_percent: null,
      automatic_tax: automaticTaxOf(world, customer.id, params.automatic_tax),
      billing_cycle_anchor: dates.anchor,
      billing_cycle_anchor_config: dates.config,
      billing_mode: mode,
      billing_schedules: [],
      billing_thresholds: thresholdsOf(params.billing_thresholds),
      cancel_at: null,
      cancel_at_period_end: params.cancel_at_period_end ?? false,
      canceled_at: cancelAt === null ? null : now,
      cancellation_details: {
        comment: null,
        feedback: null,
        feedback_option: null,
        reason: cancelAt === null ? null : 'cancellation_requested',
      },
      collection_method: params.collection_method ?? 'charge_automatically',
      created: now,
      currency,
      customer: customer.id,
      customer_account: null,
      days_until_due: params.days_until_due ?? null,
      default_payment_method: params.default_payment_method ?? null,
      default_source: params.default_source ?? null,
      default_tax_rates: taxRatesOf(
        world,
        params.default_tax_rates,
        'default_tax_rates',
        chosen(params.default_tax_rates),
      ),
      description: params.description ?? null,
      discounts,
      ended_at: null,
      invoice_settings: invoiceSettingsOf(world, params.invoice_settings),
      latest_invoice: null,
      livemode: false,
      managed_payments: { enabled: false },
      metadata: mergeMetadata({}, params.metadata),
      next_pending_invoice_item_invoice: null,
      on_behalf_of: null,
      pause_collection: null,
      payment_settings: {
        payment_method_options: null,
        payment_method_types: params.payment_settings?.payment_method_types ?? null,
        save_default_payment_method: params.payment_settings?.save_default_payment_method ?? 'off',
      },
      pending_invoice_item_interval: intervalOf(params.pending_invoice_item_interval),
      pending_setup_intent: null,
      pending_update: null,
      schedule,
      start_date: dates.start,
      test_clock: clock,
      transfer_data: null,
      trial_end: dates.trialEnd,
      trial_settings: {
        end_behavior: {
          billing_cycle_anchor: params.trial_settings?.end_behavior.billing_cycle_anchor ?? null,
          missing_payment_method:
            params.trial_settings?.end_behavior.missing_payment_method ?? 'create_invoice',
        },
      },
      trial_start: dates.trialEnd === null ? null : now,
    },
  })
  schedulePendingItems(world, started)
  return world.subscriptions.must(started.id)
}

/** The trial ends then, whatever else was asked of it. */
function endedAt(trialEnd: number | null) {
  return { trial_end: trialEnd ?? undefined, trial_period_days: undefined, trial_from_plan: undefined }
}

function check(world: World, params: CreateParams, customer: CustomerRow): void {
  if (params.payment_behavior === 'pending_if_incomplete') {
    throw invalid(
      'Setting `payment_behavior` to `pending_if_incomplete` has no effect when creating a subscription.',
      'payment_behavior',
    )
  }
  if (params.cancel_at !== undefined && params.cancel_at_period_end === true) {
    throw invalid(
      'You may only specify one of these parameters: cancel_at, cancel_at_period_end.',
      'cancel_at',
    )
  }
  checkInvoicing(params.collection_method, params.days_until_due)
  if (params.default_payment_method !== undefined) {
    ownMethod(world, customer.id, params.default_payment_method, 'default_payment_method')
  }
  if (params.default_source !== undefined) {
    sourceOf(world, customer.id, params.default_source, 'default_source')
  }
}

/** 500 running subscriptions a customer; on a test clock three. */
function refuseTooMany(world: World, { id, own }: CustomerRow): void {
  const most = own.clock === null || world.settings.unlimitedClocks ? 500 : 3
  if (world.subscriptions.count('customer', id) < most) return
  const running = world.subscriptions
    .by('customer', id)
    .filter((row) => row.status !== 'canceled' && row.status !== 'incomplete_expired')
  if (running.length < most) return
  throw invalid(
    `The customer already has ${most} active or scheduled subscriptions.`,
    'customer',
    'customer_max_subscriptions',
  )
}

/** Days are for invoices that are sent, and those need them. */
export function checkInvoicing(method: string | undefined, days: number | null | undefined): void {
  if (method === 'send_invoice' && days == null) {
    throw invalid("If invoice collection method is 'send_invoice', you must specify 'days_until_due'.")
  }
  if (method !== 'send_invoice' && days != null) {
    throw invalid("You can only specify 'days_until_due' if invoice collection method is 'send_invoice'.")
  }
}
