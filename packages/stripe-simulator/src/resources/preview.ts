import type Stripe from 'stripe'
import { cancelNow } from '../billing/cancel.ts'
import { finalInvoice, renew } from '../billing/due.ts'
import { itemsOf } from '../billing/periods.ts'
import { creditUnused } from '../billing/prorate.ts'
import { updateSubscription } from '../billing/update.ts'
import { invalid, StripeError } from '../errors.ts'
import { post } from '../http/route.ts'
import {
  bool,
  decimal,
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
import type { InvoiceRow, SubscriptionRow } from '../rows.ts'
import { moved } from '../rules/subscription-status.ts'
import type { Shown } from '../shown.ts'
import type { World } from '../world.ts'
import { changeFields, itemChange } from './change-params.ts'
import { currency } from './currency-param.ts'
import { renderInvoice } from './invoices.ts'
import { find, liveCustomer } from './lookup.ts'
import { createInvoiceItem } from './make-invoice-item.ts'
import { create } from './start-subscription.ts'
import { pause, pauseFields, resume } from './subscription-verbs.ts'
import { automaticTaxOf, automaticTaxParam, taxRatesOf, taxRatesParam } from './tax-rates.ts'

const PREVIEWS_KEPT = 100

export const previewFields = {
  automatic_tax: automaticTaxParam,
  customer: text(),
  subscription: text(),
  preview_mode: oneOf(['next', 'recurring'] as const),
  subscription_details: shape({
    ...changeFields,
    cancel_now: bool,
    billing_mode: shape({ type: required(oneOf(['classic', 'flexible'] as const)), ...gaps('flexible') }),
    metadata,
    default_tax_rates: taxRatesParam,
    pause: shape(pauseFields),
    resume_at: oneOf(['now'] as const),
    ...gaps('billing_schedules', 'start_date'),
  }),
  invoice_items: list(
    shape({
      amount: integer(),
      currency,
      description: text(),
      price: text(),
      quantity: integer({ min: 0 }),
      unit_amount_decimal: decimal,
      metadata,
      tax_rates: taxRatesParam,
      period: shape({ start: required(timestamp), end: required(timestamp) }),
      ...gaps(
        'discounts',
        'discountable',
        'invoiceitem',
        'price_data',
        'quantity_decimal',
        'tax_behavior',
        'tax_code',
        'unit_amount',
      ),
    }),
    250,
  ),
  ...gaps(
    'currency',
    'customer_account',
    'customer_details',
    'discounts',
    'issuer',
    'on_behalf_of',
    'schedule',
    'schedule_details',
  ),
}

/**
 * The next invoice without making it: the very code of the deed is run, read and taken back, so a preview
 * cannot differ from it. https://docs.stripe.com/api/invoices/create_preview
 */
export const previewRoutes = [
  post('/v1/invoices/create_preview', shape(previewFields), ({ world, params }) => previewOf(world, params)),
]

type PreviewParams = Params<typeof previewFields>

export function previewOf(world: World, params: PreviewParams): Shown<Stripe.Invoice> {
  return world.rehearse(() => shown(world, preview(world, params).id))
}

function preview(world: World, params: PreviewParams): InvoiceRow {
  const subscription = subscriptionOf(world, params)
  for (const [i, { price, ...item }] of (params.invoice_items ?? []).entries()) {
    const customer = subscription?.customer ?? params.customer
    createInvoiceItem(
      world,
      {
        ...item,
        ...(price === undefined ? {} : { pricing: { price } }),
        customer,
        subscription: subscription?.id,
      },
      `invoice_items[${i}]`,
    )
  }
  if (subscription === undefined) return previewCreation(world, params)
  const {
    cancel_now: cancels,
    pause: pauses,
    resume_at: resumes,
    ...change
  } = params.subscription_details ?? {}
  if (pauses !== undefined || resumes !== undefined) {
    // What waits for the next invoice cannot be shown on one. https://docs.stripe.com/billing/subscriptions/pause
    const draft =
      pauses === undefined ? resume(world, subscription, change) : pause(world, subscription, pauses)
    if (draft === null) throw nothingUpcoming(subscription.customer)
    return draft
  }
  if (change.default_tax_rates !== undefined) {
    const param = 'subscription_details[default_tax_rates]'
    const rates = taxRatesOf(world, change.default_tax_rates, param, subscription.default_tax_rates)
    world.subscriptions.patch(subscription.id, { default_tax_rates: rates })
  }
  if (params.automatic_tax !== undefined) {
    const tax = automaticTaxOf(world, subscription.customer, params.automatic_tax)
    world.subscriptions.patch(subscription.id, { automatic_tax: tax })
  }
  if (cancels === true) return previewCancellation(world, subscription, params)
  const draft = updateSubscription(
    world,
    subscription.id,
    itemChange(world, subscription, change, 'subscription_details'),
  )
  return draft ?? nextInvoice(world, subscription.id, params.preview_mode !== 'recurring')
}

function subscriptionOf(world: World, params: PreviewParams): SubscriptionRow | undefined {
  if (params.subscription !== undefined) {
    const subscription = find(world.subscriptions, 'subscription', params.subscription, 'subscription')
    if (params.customer !== undefined && params.customer !== subscription.customer) {
      throw invalid('The subscription does not belong to the customer.', 'customer')
    }
    return subscription
  }
  if (params.customer === undefined) {
    throw invalid('You must specify `customer` or `subscription`.', 'customer', 'parameter_missing')
  }
  if (params.subscription_details?.items !== undefined) return undefined
  // The customer's next renewal, whichever subscription it is of.
  const customer = liveCustomer(world, params.customer, 'customer')
  return world.subscriptions
    .by('customer', customer.id)
    .filter((row) => row.status === 'active' || row.status === 'trialing' || row.status === 'past_due')
    .sort((a, b) => nextBoundary(world, a.id) - nextBoundary(world, b.id))[0]
}

/** What a new subscription would be billed at once. */
function previewCreation(world: World, params: PreviewParams): InvoiceRow {
  const details = params.subscription_details
  if (details?.items === undefined || params.customer === undefined) throw nothingUpcoming(params.customer)
  const { customer } = liveOrThrow(world, params.customer)
  const created = create(world, {
    customer,
    items: details.items.map(({ id: _id, deleted: _deleted, clear_usage: _usage, ...item }) => item),
    default_tax_rates: details.default_tax_rates,
    automatic_tax: params.automatic_tax,
    proration_behavior: details.proration_behavior,
    trial_end: details.trial_end,
    ...(details.billing_mode === undefined ? {} : { billing_mode: details.billing_mode }),
  })
  return world.invoices.must(created.latest_invoice)
}

function liveOrThrow(world: World, id: string): { customer: string } {
  return { customer: liveCustomer(world, id, 'customer').id }
}

function previewCancellation(world: World, subscription: SubscriptionRow, params: PreviewParams): InvoiceRow {
  const draft = cancelNow(world, subscription.id, {
    prorate: (params.subscription_details?.proration_behavior ?? 'create_prorations') !== 'none',
    invoiceNow: true,
    details: {},
  })
  if (draft === null) throw nothingUpcoming(subscription.customer)
  return draft
}

/** The renewal as it would be now, or the final invoice of a subscription that is going to end. */
function nextInvoice(world: World, id: string, pending: boolean): InvoiceRow {
  const subscription = world.subscriptions.must(id)
  const boundary = nextBoundary(world, id)
  if (!['active', 'trialing', 'past_due', 'unpaid'].includes(subscription.status)) {
    throw nothingUpcoming(subscription.customer)
  }
  if (subscription.cancel_at !== null && subscription.cancel_at <= boundary) {
    if (subscription.own.proratesEnd) {
      for (const item of itemsOf(world, id)) {
        if (item.current_period_end > subscription.cancel_at)
          creditUnused(world, subscription, item, subscription.cancel_at)
      }
    }
    const final = finalInvoice(world, id, subscription.cancel_at)
    if (final === null) throw nothingUpcoming(subscription.customer)
    return final
  }
  if (subscription.status === 'trialing') {
    world.subscriptions.patch(id, moved(subscription, 'trial_ended'))
  }
  return renew(world, id, boundary, pending)
}

function nextBoundary(world: World, id: string): number {
  return Math.min(...itemsOf(world, id).map((item) => item.current_period_end))
}

function nothingUpcoming(customer: string | null | undefined): StripeError {
  return new StripeError(404, {
    type: 'invalid_request_error',
    code: 'invoice_upcoming_none',
    message: `No upcoming invoices for customer: ${customer}`,
  })
}

/** Ten lines travel with the preview; the others are listed at its lines' address, like any invoice's. */
function shown(world: World, id: string): Shown<Stripe.Invoice> {
  const invoice = world.invoices.must(id)
  world.previews.set(id, invoice.own.lines)
  const [oldest] = world.previews.keys()
  if (world.previews.size > PREVIEWS_KEPT && oldest !== undefined) world.previews.delete(oldest)
  return renderInvoice(world, invoice)
}
