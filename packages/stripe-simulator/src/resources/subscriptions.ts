import type Stripe from 'stripe'
import { createSubscription } from '../billing/create.ts'
import { schedulePendingItems } from '../billing/pending-interval.ts'
import { gap, invalid } from '../errors.ts'
import type { Expansions } from '../http/expand.ts'
import { inRange, page, pageOf, paging } from '../http/list.ts'
import { get, nothing, post } from '../http/route.ts'
import {
  either,
  gaps,
  integer,
  list,
  oneOf,
  type Params,
  range,
  required,
  shape,
  text,
  timestamp,
  timestampOrNow,
} from '../http/schema.ts'
import type { CustomerRow, Json, SubscriptionRow } from '../rows.ts'
import { addMonths } from '../rules/billing-cycle.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import type { Shown } from '../shown.ts'
import { withoutOwn } from '../store/own.ts'
import type { World } from '../world.ts'
import { billingModeOf, billingModeParam } from './billing-mode.ts'
import { ownMethod } from './customers.ts'
import { applyDiscounts } from './discounts.ts'
import { find, liveCustomer } from './lookup.ts'
import { createInvoiceItem } from './make-invoice-item.ts'
import { currency } from './price-fields.ts'
import { currencyOf } from './subscription-currency.ts'
import { addInvoiceItems, itemFields, SUBSCRIPTIONS_URL, sharedFields } from './subscription-fields.ts'
import { itemPrice, itemQuantity } from './subscription-items.ts'
import { automaticTaxOf, renderRates, taxRatesOf } from './tax-rates.ts'

const createFields = {
  ...sharedFields,
  customer: required(text()),
  items: required(list(shape(itemFields), 20)),
  currency,
  billing_mode: billingModeParam,
  billing_cycle_anchor: timestamp,
  cancel_at: either(timestamp, oneOf(['min_period_end', 'max_period_end'] as const)),
  trial_end: timestampOrNow,
  trial_period_days: integer({ min: 1, max: 730 }),
  add_invoice_items: addInvoiceItems,
  ...gaps('backdate_start_date', 'billing_cycle_anchor_config', 'customer_account'),
}

export const subscriptionRoutes = [
  post(SUBSCRIPTIONS_URL, shape(createFields), ({ world, params }) => world.render(create(world, params))),
  get(`${SUBSCRIPTIONS_URL}/:id`, nothing, ({ world, path }) =>
    world.render(find(world.subscriptions, 'subscription', path())),
  ),
  get(
    SUBSCRIPTIONS_URL,
    shape({
      ...paging,
      customer: text(),
      status: oneOf([
        'active',
        'all',
        'canceled',
        'ended',
        'incomplete',
        'incomplete_expired',
        'past_due',
        'paused',
        'trialing',
        'unpaid',
      ] as const),
      price: text(),
      test_clock: text(),
      created: range,
      collection_method: oneOf(['charge_automatically', 'send_invoice'] as const),
      current_period_start: range,
      current_period_end: range,
      ...gaps('plan', 'automatic_tax', 'customer_account'),
    }),
    ({ world, params }) => {
      if (params.customer !== undefined) find(world.customers, 'customer', params.customer, 'customer')
      // Without a customer or a clock, subscriptions on test clocks are left out.
      const clock = params.test_clock ?? (params.customer === undefined ? 'wall' : undefined)
      return page(world.subscriptions, params, {
        url: SUBSCRIPTIONS_URL,
        where:
          params.customer !== undefined
            ? { index: 'customer', key: params.customer }
            : { index: 'clock', key: clock as string },
        matches: (row) =>
          (clock === undefined || (row.own.clock ?? 'wall') === clock) &&
          hasStatus(row, params.status) &&
          inRange(row.created, params.created) &&
          (params.collection_method === undefined || row.collection_method === params.collection_method) &&
          world.subscriptionItems
            .by('subscription', row.id)
            .some(
              (item) =>
                (params.price === undefined || item.own.price === params.price) &&
                inRange(item.current_period_start, params.current_period_start) &&
                inRange(item.current_period_end, params.current_period_end),
            ),
        render: (row) => world.render(row),
      })
    },
  ),
]

function hasStatus(row: SubscriptionRow, asked: string | undefined): boolean {
  if (asked === 'all') return true
  if (asked === 'ended') return row.status === 'canceled' || row.status === 'incomplete_expired'
  return asked === undefined ? row.status !== 'canceled' : row.status === asked
}

export const subscriptionExpansions: Expansions = {
  subscription: {
    customer: (world, row) => world.render(world.customers.must(row.customer as string)),
    latest_invoice: (world, row) => renderOr(world, world.invoices.get(row.latest_invoice as string)),
    default_payment_method: (world, row) =>
      renderOr(world, world.paymentMethods.get(row.default_payment_method as string)),
    pending_setup_intent: (world, row) =>
      renderOr(world, world.setupIntents.get(row.pending_setup_intent as string)),
    test_clock: (world, row) => renderOr(world, world.testClocks.get(row.test_clock as string)),
    discounts: (world, row) =>
      (row.discounts as string[]).map((id) => world.render(world.discounts.must(id))),
    schedule: (world, row) => renderOr(world, world.schedules.get(row.schedule as string)),
  },
}

function renderOr(world: World, row: { object: string } | undefined): Json | null {
  return row === undefined ? null : world.render(row)
}

export function create(
  world: World,
  params: Params<typeof createFields>,
  schedule: string | null = null,
): SubscriptionRow {
  const customer = liveCustomer(world, params.customer, 'customer')
  const clock = customer.own.clock
  const now = world.now(clock)
  refuseTooMany(world, customer)
  if (params.items.length === 0) throw invalid('Missing required param: items.', 'items', 'parameter_missing')
  const items = params.items.map((item, i) => {
    const price = itemPrice(world, item, `items[${i}]`)
    return {
      price: price.id,
      quantity: itemQuantity(price, item.quantity, `items[${i}]`),
      metadata: mergeMetadata({}, item.metadata),
      taxRates: taxRatesOf(world, item.tax_rates, `items[${i}][tax_rates]`),
    }
  })
  const currency = currencyOf(
    items.map((item) => world.prices.must(item.price)),
    customer.currency ?? null,
    params.currency,
  )
  const trialEnd = trialEndOf(params, now)
  if (params.billing_cycle_anchor !== undefined && params.billing_cycle_anchor <= now) {
    throw invalid('billing_cycle_anchor must be in the future.', 'billing_cycle_anchor')
  }
  if (params.payment_behavior === 'pending_if_incomplete') {
    throw invalid(
      'payment_behavior cannot be pending_if_incomplete when creating a subscription.',
      'payment_behavior',
    )
  }
  checkInvoicing(params.collection_method, params.days_until_due)
  if (params.default_payment_method !== undefined) {
    ownMethod(world, customer.id, params.default_payment_method, 'default_payment_method')
  }
  if (params.cancel_at !== undefined && typeof params.cancel_at !== 'number') {
    throw gap(`cancel_at=${params.cancel_at} at creation`, 'cancel_at')
  }
  for (const [i, extra] of (params.add_invoice_items ?? []).entries()) {
    createInvoiceItem(
      world,
      {
        customer: customer.id,
        pricing: { price: extra.price },
        quantity: extra.quantity,
        metadata: extra.metadata,
        tax_rates: extra.tax_rates,
      },
      `add_invoice_items[${i}]`,
    )
  }
  const discounts = applyDiscounts(world, params.discounts ?? [], { customer: customer.id, at: now, clock })
  const started = createSubscription(world, {
    clock,
    items,
    trialEnd,
    paymentBehavior: params.payment_behavior ?? 'allow_incomplete',
    prorationBehavior: params.proration_behavior ?? 'create_prorations',
    offSession: params.off_session ?? false,
    scheduled: schedule !== null,
    row: {
      application: null,
      application_fee_percent: null,
      automatic_tax: automaticTaxOf(world, customer.id, params.automatic_tax),
      billing_cycle_anchor: trialEnd ?? params.billing_cycle_anchor ?? now,
      billing_cycle_anchor_config: null,
      billing_mode: billingModeOf(params.billing_mode),
      billing_schedules: [],
      billing_thresholds: null,
      cancel_at: params.cancel_at ?? null,
      cancel_at_period_end: params.cancel_at_period_end ?? false,
      canceled_at: params.cancel_at === undefined && !params.cancel_at_period_end ? null : now,
      cancellation_details: { comment: null, feedback: null, feedback_option: null, reason: null },
      collection_method: params.collection_method ?? 'charge_automatically',
      created: now,
      currency,
      customer: customer.id,
      customer_account: null,
      days_until_due: params.days_until_due ?? null,
      default_payment_method: params.default_payment_method ?? null,
      default_source: null,
      default_tax_rates: taxRatesOf(world, params.default_tax_rates, 'default_tax_rates'),
      description: params.description ?? null,
      discounts,
      ended_at: null,
      invoice_settings: {
        account_tax_ids: null,
        custom_fields: null,
        description: null,
        footer: null,
        issuer: { type: 'self' },
      },
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
      start_date: now,
      test_clock: clock,
      transfer_data: null,
      trial_end: trialEnd,
      trial_settings: {
        end_behavior: {
          billing_cycle_anchor: null,
          missing_payment_method:
            params.trial_settings?.end_behavior.missing_payment_method ?? 'create_invoice',
        },
      },
      trial_start: trialEnd === null ? null : now,
    },
  })
  schedulePendingItems(world, started)
  return world.subscriptions.must(started.id)
}

export function intervalOf(
  given: { interval: string; interval_count?: number | undefined } | null | undefined,
): SubscriptionRow['pending_invoice_item_interval'] {
  return given == null ? null : { interval: given.interval, interval_count: given.interval_count ?? 1 }
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

function checkInvoicing(method: string | undefined, days: number | undefined): void {
  if (method === 'send_invoice' && days === undefined) {
    throw invalid(
      'You must pass `days_until_due` when creating or updating a subscription to `send_invoice`.',
      'days_until_due',
    )
  }
  if (method !== 'send_invoice' && days !== undefined) {
    throw invalid('`days_until_due` can only be set with `collection_method=send_invoice`.', 'days_until_due')
  }
}

function trialEndOf(params: Params<typeof createFields>, now: number): number | null {
  const { trial_end: end, trial_period_days: days } = params
  if (end !== undefined && days !== undefined) {
    throw invalid('You may only specify one of these parameters: trial_end, trial_period_days.', 'trial_end')
  }
  if (days !== undefined) return now + days * 86_400
  if (end === undefined || end === 'now') return null
  if (end <= now)
    throw invalid('Invalid timestamp: must be an integer Unix timestamp in the future.', 'trial_end')
  if (end > addMonths(now, 60))
    throw invalid('trial_end cannot be more than 5 years in the future.', 'trial_end')
  return end
}

export function renderSubscription(world: World, row: SubscriptionRow): Shown<Stripe.Subscription> {
  const items = world.subscriptionItems.by('subscription', row.id)
  const rates = renderRates(world, row.default_tax_rates)
  const shown = items.map((item) => world.render(item))
  return world.subscriptions.shown(row, [...shown, ...rates], () => {
    const list = pageOf(items, {}, `/v1/subscription_items?subscription=${row.id}`, (item) =>
      world.render(item),
    )
    return { ...withoutOwn(row), default_tax_rates: rates, items: list }
  })
}
