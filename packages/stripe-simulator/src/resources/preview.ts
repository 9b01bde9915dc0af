import type Stripe from 'stripe'
import { cancelNow } from '../billing/cancel.ts'
import { runningDiscounts } from '../billing/discounts.ts'
import { createDraft } from '../billing/invoices.ts'
import { takePending } from '../billing/pending.ts'
import { nextBoundary, playAt, upcomingInvoice } from '../billing/upcoming.ts'
import { updateSubscription } from '../billing/update.ts'
import { gap, invalid, missing, StripeError } from '../errors.ts'
import { post } from '../http/route.ts'
import {
  bool,
  clearable,
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
import { mergeMetadata } from '../rules/metadata.ts'
import type { Shown } from '../shown.ts'
import type { World } from '../world.ts'
import { address } from './address-param.ts'
import { changeItem, pricedFields } from './change-invoice-item.ts'
import { changeFields, itemChange } from './change-params.ts'
import { itemsAfter } from './changed-items.ts'
import { currency } from './currency-param.ts'
import { insertCustomer, shipping } from './customers.ts'
import { applyDiscounts, customerDiscount, discountsParam, redeemer } from './discounts.ts'
import { issuer, setFields } from './invoice-fields.ts'
import { renderInvoice } from './invoices.ts'
import { find, liveCustomer } from './lookup.ts'
import { createInvoiceItem } from './make-invoice-item.ts'
import { previewSchedule, scheduleDetails } from './preview-schedule.ts'
import { create } from './start-subscription.ts'
import { pause, pauseFields, resume } from './subscription-verbs.ts'
import { createTaxId, taxIdParam } from './tax-ids.ts'
import { automaticTaxOf, automaticTaxParam, taxRatesOf, taxRatesParam } from './tax-rates.ts'

const PREVIEWS_KEPT = 100

/** A line names its price outright. */
const { pricing: _named, ...lineFields } = pricedFields

export const previewFields = {
  automatic_tax: automaticTaxParam,
  customer: text(),
  customer_details: shape({
    address: clearable(address),
    tax_exempt: clearable(oneOf(['none', 'exempt', 'reverse'] as const)),
    shipping: clearable(shipping),
    tax_ids: list(taxIdParam, 5),
    ...gaps('tax'),
  }),
  currency,
  discounts: clearable(discountsParam),
  issuer,
  schedule: text(),
  schedule_details: scheduleDetails,
  subscription: text(),
  preview_mode: oneOf(['next', 'recurring'] as const),
  subscription_details: shape({
    ...changeFields,
    billing_cycle_anchor: shape({
      type: required(oneOf(['now', 'timestamp', 'unchanged'] as const)),
      timestamp,
    }),
    cancel_now: bool,
    billing_mode: shape({ type: required(oneOf(['classic', 'flexible'] as const)), ...gaps('flexible') }),
    metadata,
    default_tax_rates: taxRatesParam,
    pause: shape(pauseFields),
    resume_at: oneOf(['now'] as const),
    start_date: timestamp,
    ...gaps('billing_schedules'),
  }),
  invoice_items: list(
    shape({ ...lineFields, currency, price: text(), invoiceitem: text(), unit_amount: integer() }),
    250,
  ),
  ...gaps('customer_account', 'on_behalf_of'),
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
  return world.rehearse(() => {
    const customer = buyerOf(world, params)
    const invoice = shown(world, preview(world, { ...params, customer }).id)
    // Nobody who is there.
    return customer !== undefined && params.customer === undefined ? { ...invoice, customer: null } : invoice
  })
}

/**
 * The customer, as `customer_details` would have it; without one a customer who is not there yet. Who is to be billed
 * must be said only where tax is calculated. https://docs.stripe.com/api/invoices/create_preview#create_create_preview-customer
 */
function buyerOf(world: World, params: PreviewParams): string | undefined {
  const { customer, customer_details: details } = params
  if (details === undefined) {
    const news = [params.subscription_details?.items, params.schedule_details?.phases, params.invoice_items]
    const isNew = news.some((asked) => asked !== undefined)
    const someone = params.subscription ?? params.schedule ?? customer
    if (!isNew || someone !== undefined || params.automatic_tax?.enabled === true) return customer
    return insertCustomer(world, {}, undefined).id
  }
  const { id } =
    customer === undefined ? insertCustomer(world, {}, undefined) : liveCustomer(world, customer, 'customer')
  const buyer = world.customers.patch(id, {
    ...(details.address === undefined ? {} : { address: details.address }),
    ...(details.shipping === undefined ? {} : { shipping: details.shipping }),
    ...(details.tax_exempt === undefined ? {} : { tax_exempt: details.tax_exempt ?? 'none' }),
  })
  if (details.tax_ids !== undefined) {
    for (const { id: own } of world.taxIds.by('customer', id)) world.taxIds.delete(own)
    for (const taxId of details.tax_ids) createTaxId(world, buyer, taxId)
  }
  return id
}

function preview(world: World, params: PreviewParams): InvoiceRow {
  if (params.schedule !== undefined || params.schedule_details !== undefined) {
    return ofSchedule(world, params)
  }
  const subscription = subscriptionOf(world, params)
  addItems(world, params, subscription)
  if (subscription === undefined) return previewCreation(world, params)
  if (params.discounts !== undefined) setDiscounts(world, subscription, params.discounts)
  const {
    billing_cycle_anchor: anchor,
    cancel_now: cancels,
    pause: pauses,
    resume_at: resumes,
    start_date: start,
    ...asked
  } = params.subscription_details ?? {}
  if (params.currency !== undefined && params.currency.toLowerCase() !== subscription.currency) {
    throw gap('previews of a running subscription in another currency', 'currency')
  }
  if (start !== undefined) {
    throw gap('another start of a running subscription', 'subscription_details[start_date]')
  }
  const change = { ...asked, billing_cycle_anchor: movedAnchor(anchor) }
  if (pauses !== undefined || resumes !== undefined) {
    // What waits for the next invoice cannot be shown on one. https://docs.stripe.com/billing/subscriptions/pause
    const draft =
      pauses === undefined ? resume(world, subscription, change) : pause(world, subscription, pauses)
    if (draft === null) throw nothingUpcoming(subscription.customer)
    return draft
  }
  if (change.metadata !== undefined) {
    const labels = mergeMetadata(subscription.metadata, change.metadata)
    world.subscriptions.patch(subscription.id, { metadata: labels })
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
  const next = draft ?? upcomingInvoice(world, subscription.id, params.preview_mode !== 'recurring')
  if (next === null) throw nothingUpcoming(subscription.customer)
  return next
}

/** "For existing subscriptions, the value can only be set to `now` or `unchanged`." */
function movedAnchor(
  given: NonNullable<PreviewParams['subscription_details']>['billing_cycle_anchor'],
): { type: 'now' | 'unchanged' } | undefined {
  if (given === undefined) return undefined
  if (given.type !== 'timestamp') return { type: given.type }
  throw invalid(
    'The billing cycle anchor of an existing subscription can only be set to `now` or `unchanged`.',
    'subscription_details[billing_cycle_anchor][type]',
  )
}

/** "If not specified, a new invoice item will be added", and with `invoiceitem` that one is changed. */
function addItems(
  world: World,
  { invoice_items: items = [], ...params }: PreviewParams,
  subscription: SubscriptionRow | undefined,
): void {
  const customer = subscription?.customer ?? params.customer
  for (const [
    i,
    { price, invoiceitem: id, currency: money, unit_amount: unit, ...given },
  ] of items.entries()) {
    const prefix = `invoice_items[${i}]`
    if (unit !== undefined && given.unit_amount_decimal !== undefined) {
      throw invalid(
        'You may only specify one of these parameters: unit_amount, unit_amount_decimal.',
        `${prefix}[unit_amount]`,
      )
    }
    const item = {
      ...given,
      ...(price === undefined ? {} : { pricing: { price } }),
      ...(unit === undefined ? {} : { unit_amount_decimal: String(unit) }),
    }
    if (id === undefined) {
      createInvoiceItem(world, { ...item, currency: money, customer, subscription: subscription?.id }, prefix)
      continue
    }
    const known = find(world.invoiceItems, 'invoiceitem', id, `${prefix}[invoiceitem]`)
    if (known.own.deleted === true) throw missing('invoiceitem', id, `${prefix}[invoiceitem]`)
    if (known.customer !== customer) {
      throw invalid(`The invoice item ${id} does not belong to the customer.`, `${prefix}[invoiceitem]`)
    }
    changeItem(world, known, item, prefix)
  }
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

/** `schedule` "cannot be used with `subscription` or `subscription_` prefixed fields". */
function ofSchedule(world: World, params: PreviewParams): InvoiceRow {
  const { customer, schedule, schedule_details: details = {} } = params
  for (const other of ['subscription', 'subscription_details', 'discounts', 'invoice_items'] as const) {
    if (params[other] !== undefined) {
      throw invalid(`You cannot use \`${other}\` in a preview of a schedule.`, other)
    }
  }
  const invoice = previewSchedule(world, { customer, schedule, details })
  if (invoice === null) throw nothingUpcoming(customer)
  return invoice
}

/**
 * The discounts that a preview is asked for take the place of the subscription's own; the empty text says that none is
 * inherited either. https://docs.stripe.com/api/invoices/create_preview#create_create_preview-discounts
 */
function setDiscounts(
  world: World,
  subscription: SubscriptionRow,
  given: NonNullable<PreviewParams['discounts']> | null,
): void {
  const to = redeemer(world, subscription, itemsAfter(world, subscription, []))
  const discounts = given === null ? [] : applyDiscounts(world, given, to)
  const inherited = given === null ? customerDiscount(world, subscription.customer) : undefined
  if (inherited) world.discounts.patch(inherited.id, { own: { ...inherited.own, used: true } })
  if (given === null || discounts.length > 0) world.subscriptions.patch(subscription.id, { discounts })
}

/** What a new subscription would be billed at once, when it starts: now, later, or before now. */
function previewCreation(world: World, params: PreviewParams): InvoiceRow {
  const start = params.subscription_details?.start_date
  const { clock } = liveCustomer(world, params.customer ?? '', 'customer').own
  if (start === undefined || start <= world.now(clock)) return created(world, params, start)
  return playAt(world, clock, start, () => created(world, params, undefined))
}

function created(world: World, params: PreviewParams, backdated: number | undefined): InvoiceRow {
  const details = params.subscription_details
  if (params.customer === undefined) throw nothingUpcoming(params.customer)
  if (details?.items === undefined) {
    if (params.invoice_items === undefined) throw nothingUpcoming(params.customer)
    return oneOff(world, params.customer, params)
  }
  const subscription = create(world, {
    customer: params.customer,
    currency: params.currency,
    backdate_start_date: backdated,
    billing_cycle_anchor: newAnchor(details.billing_cycle_anchor),
    items: details.items.map(({ id: _id, deleted: _deleted, clear_usage: _usage, ...item }) => item),
    default_tax_rates: details.default_tax_rates,
    automatic_tax: params.automatic_tax,
    cancel_at: details.cancel_at ?? undefined,
    cancel_at_period_end: details.cancel_at_period_end,
    discounts: params.discounts ?? undefined,
    metadata: details.metadata,
    proration_behavior: details.proration_behavior,
    trial_end: details.trial_end,
    trial_from_plan: details.trial_from_plan,
    ...(details.billing_mode === undefined ? {} : { billing_mode: details.billing_mode }),
  })
  // With nothing but usage to sell, a flexible subscription makes no first invoice.
  if (subscription.latest_invoice === null) throw nothingUpcoming(params.customer)
  return world.invoices.must(subscription.latest_invoice)
}

/**
 * Items of a customer who has no subscription, as one invoice with what waits already.
 * https://docs.stripe.com/changelog/basil/2025-03-31/invoice-preview-api-deprecations
 */
function oneOff(world: World, id: string, params: PreviewParams): InvoiceRow {
  const { own, currency: usual } = liveCustomer(world, id, 'customer')
  const named = params.currency ?? params.invoice_items?.find((item) => item.currency !== undefined)?.currency
  const currency = (named ?? usual ?? 'usd').toLowerCase()
  const now = world.now(own.clock)
  const draft = createDraft(world, {
    customer: id,
    subscription: null,
    currency,
    reason: 'manual',
    lines: takePending(world, id, null, currency).map(({ line }) => line),
    discounts: runningDiscounts(world, [], id, now),
    period: { start: now, end: now },
    at: now,
    collectionMethod: 'charge_automatically',
    daysUntilDue: null,
    autoAdvance: false,
  })
  setFields(world, draft.id, { discounts: params.discounts, automatic_tax: params.automatic_tax })
  return world.invoices.must(draft.id)
}

/** A new cycle counts from its start unless a moment is given. */
function newAnchor(
  given: NonNullable<PreviewParams['subscription_details']>['billing_cycle_anchor'],
): number | undefined {
  const at = 'subscription_details[billing_cycle_anchor][timestamp]'
  if (given?.type === 'timestamp' && given.timestamp === undefined) {
    throw invalid(`Missing required param: ${at}.`, at, 'parameter_missing')
  }
  if (given !== undefined && given.type !== 'timestamp' && given.timestamp !== undefined) {
    throw invalid('`timestamp` is only valid when `type` is `timestamp`.', at)
  }
  return given?.timestamp
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
  const named = [...invoice.discounts, ...invoice.own.lines.flatMap((line) => line.discounts)] as string[]
  world.previewedDiscounts.set(
    id,
    new Map(named.map((discount) => [discount, world.render(world.discounts.must(discount))])),
  )
  const [oldest] = world.previews.keys()
  if (world.previews.size > PREVIEWS_KEPT && oldest !== undefined) {
    world.previews.delete(oldest)
    world.previewedDiscounts.delete(oldest)
  }
  return renderInvoice(world, invoice)
}
