import { automaticTax } from '../billing/automatic-tax.ts'
import { endReplaced } from '../billing/discounts.ts'
import { armDue } from '../billing/due-date.ts'
import { retotal, scheduleFinalization, scheduleMade } from '../billing/invoices.ts'
import { invalid } from '../errors.ts'
import {
  bool,
  clearable,
  gaps,
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
import type { InvoiceRow } from '../rows.ts'
import { defined } from '../rules/defined.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import type { World } from '../world.ts'
import { ownMethod } from './customers.ts'
import { applyDiscounts, type DiscountGiven, discountsParam } from './discounts.ts'
import { checkDueDate, daysUntilDue } from './due-params.ts'
import { methodType } from './method-type.ts'
import {
  accountTaxIds,
  accountTaxIdsOf,
  renderingAfter,
  renderingParam,
  shippingDetails,
  shippingOf,
} from './printed-fields.ts'
import { sourceOf } from './sources.ts'
import { automaticTaxParam, taxRatesOf, taxRatesParam } from './tax-rates.ts'

const DAY = 86_400
const YEAR = 365 * DAY

export const issuer = shape({ type: required(playedOf(['self'] as const, ['account'])), ...gaps('account') })

/** What can be said of an invoice at creation and while it is a draft. https://docs.stripe.com/api/invoices/update */
export const invoiceFields = {
  auto_advance: bool,
  collection_method: oneOf(['charge_automatically', 'send_invoice'] as const),
  custom_fields: clearable(list(shape({ name: required(text(40)), value: required(text(140)) }), 4)),
  days_until_due: daysUntilDue,
  due_date: timestamp,
  default_payment_method: clearable(text()),
  default_source: clearable(text()),
  description: clearable(text()),
  footer: clearable(text()),
  metadata,
  number: clearable(text(26)),
  automatically_finalizes_at: timestamp,
  effective_at: clearable(timestamp),
  statement_descriptor: text(22),
  discounts: clearable(discountsParam),
  default_tax_rates: taxRatesParam,
  automatic_tax: automaticTaxParam,
  issuer,
  payment_settings: shape({
    payment_method_types: clearable(list(methodType)),
    ...gaps('default_mandate', 'payment_method_options'),
  }),
  account_tax_ids: accountTaxIds,
  rendering: renderingParam,
  shipping_details: shippingDetails,
  ...gaps('application_fee_amount', 'on_behalf_of', 'shipping_cost', 'transfer_data'),
}

export type InvoiceParams = Params<typeof invoiceFields>

/** What of a finalized invoice can still change. */
const AFTER_FINALIZING = new Set([
  'default_payment_method',
  'default_source',
  'collection_method',
  'due_date',
  'days_until_due',
])

export function changeInvoice(world: World, id: string, params: InvoiceParams): InvoiceRow {
  const invoice = world.invoices.must(id)
  const { metadata: _labels, auto_advance: _advance, automatically_finalizes_at: _at, ...frozen } = params
  const fixed = Object.keys(defined(frozen)).find((name) => !AFTER_FINALIZING.has(name))
  if (invoice.status !== 'draft' && fixed !== undefined) {
    throw invalid("Finalized invoices can't be updated in this way", fixed)
  }
  // What is paid, void or uncollectible does not advance any more.
  if (params.auto_advance === true && invoice.status !== 'draft' && invoice.status !== 'open') {
    throw invalid("Finalized invoices can't be updated in this way", 'auto_advance')
  }
  setFields(world, id, params)
  const changed = world.invoices.must(id)
  if (changed.status === 'open' && changed.due_date !== invoice.due_date) armDue(world, changed)
  const next = changed.status === 'draft' ? retotal(world, id) : changed
  world.emit('invoice.updated', next)
  return next
}

/** Sets what was sent, in the order in which one depends on another. */
export function setFields(world: World, id: string, params: InvoiceParams): void {
  const {
    auto_advance: advance,
    automatically_finalizes_at: at,
    days_until_due: days,
    default_tax_rates: rates,
    discounts,
    metadata: labels,
    payment_settings: settings,
    issuer: _self,
    automatic_tax: tax,
    account_tax_ids: taxIds,
    rendering,
    shipping_details: shipping,
    ...direct
  } = params
  const invoice = world.invoices.must(id)
  checkFields(world, invoice, params)
  if (tax !== undefined) world.invoices.patch(id, { automatic_tax: automaticTax(tax.enabled) })
  setTaxRates(world, id, rates)
  setDiscounts(world, id, discounts)
  world.invoices.patch(id, {
    ...defined(direct),
    ...(taxIds === undefined ? {} : { account_tax_ids: accountTaxIdsOf(world, taxIds, 'account_tax_ids') }),
    ...(rendering === undefined ? {} : { rendering: renderingAfter(invoice.rendering, rendering) }),
    ...(shipping === undefined ? {} : { shipping_details: shippingOf(shipping) }),
    ...(days === undefined ? {} : { due_date: invoice.created + days * DAY }),
    ...(settings === undefined
      ? {}
      : { payment_settings: { ...invoice.payment_settings, ...defined(settings) } }),
    metadata: mergeMetadata(invoice.metadata ?? {}, labels),
  } as Partial<InvoiceRow>)
  if (tax !== undefined) retotal(world, id)
  if (advance !== undefined || at !== undefined) {
    setAutoAdvance(world, id, advance ?? invoice.auto_advance ?? false, at)
  }
}

function checkFields(world: World, invoice: InvoiceRow, params: InvoiceParams): void {
  const method = params.collection_method ?? invoice.collection_method
  if ((params.due_date ?? params.days_until_due) != null && method !== 'send_invoice') {
    throw invalid(
      "You can only specify 'due_date' or 'days_until_due' if invoice collection method is 'send_invoice'.",
    )
  }
  if (params.due_date !== undefined && params.days_until_due !== undefined) {
    throw invalid('You may only specify one of these parameters: due_date, days_until_due.', 'due_date')
  }
  const { statement_descriptor: statement } = params
  if (statement !== undefined && !/[A-Za-z]/.test(statement)) {
    throw invalid('The statement descriptor must contain at least one letter.', 'statement_descriptor')
  }
  if (params.default_payment_method != null) {
    ownMethod(world, invoice.customer as string, params.default_payment_method, 'default_payment_method')
  }
  if (params.default_source != null) {
    sourceOf(world, invoice.customer as string, params.default_source, 'default_source')
  }
  const automatic = params.automatic_tax?.enabled ?? invoice.automatic_tax.enabled
  if (automatic && (params.default_tax_rates ?? invoice.default_tax_rates).length > 0) {
    throw invalid('You cannot set tax rates on an invoice with automatic tax.', 'default_tax_rates')
  }
  const now = world.now(invoice.own.clock)
  if (params.due_date !== undefined) checkDueDate(params.due_date, now)
  const at = params.automatically_finalizes_at
  if (at !== undefined && (at <= now || at > now + 5 * YEAR)) {
    throw invalid(
      '`automatically_finalizes_at` must be in the future and at most 5 years ahead.',
      'automatically_finalizes_at',
    )
  }
  const { number } = params
  if (number == null || number === invoice.number) return
  if (world.invoices.count('number', number) > 0) {
    throw invalid(`The invoice number ${number} is taken; it must be unique.`, 'number')
  }
}

/** A filled list replaces the discounts of a draft, empty text clears them. */
function setDiscounts(world: World, id: string, given: DiscountGiven[] | null | undefined): void {
  if (given === undefined || given?.length === 0) return
  const invoice = world.invoices.must(id)
  const { clock } = invoice.own
  const to = {
    customer: invoice.customer as string,
    currency: invoice.currency,
    worth: () => invoice.subtotal,
    invoice: id,
    at: world.now(clock),
    clock,
  }
  const next = world.invoices.patch(id, { discounts: given === null ? [] : applyDiscounts(world, given, to) })
  endReplaced(world, id, invoice.discounts, next.discounts)
  retotal(world, id)
}

/** The rates of the lines that have none of their own. */
function setTaxRates(world: World, id: string, given: readonly string[] | null | undefined): void {
  if (given === undefined) return
  const present = world.invoices.must(id).default_tax_rates
  const rates = taxRatesOf(world, given, 'default_tax_rates', present)
  world.invoices.patch(id, { default_tax_rates: rates })
  retotal(world, id)
}

function setAutoAdvance(world: World, id: string, on: boolean, at: number | undefined): void {
  const before = world.invoices.must(id)
  const { status, own } = before
  world.invoices.patch(id, { auto_advance: on })
  if (status === 'open' && on !== before.auto_advance) setCollection(world, before, on)
  if (status !== 'draft') return
  if (at !== undefined) {
    scheduleFinalization(world, id, at)
    return
  }
  if (on) {
    scheduleMade(world, id)
    return
  }
  world.alarm('invoice.finalize', id, own.clock, null)
  world.invoices.patch(id, { automatically_finalizes_at: null, next_payment_attempt: null })
}

/**
 * Whether Stripe goes on to charge an open invoice. Turned on, it is charged as one that was just finalized is:
 * about an hour later. https://docs.stripe.com/invoicing/integration/automatic-advancement-collection
 */
function setCollection(world: World, { id, collection_method: method, own }: InvoiceRow, on: boolean): void {
  const isCharged = on && method === 'charge_automatically'
  const at = isCharged ? world.now(own.clock) + world.settings.draftSeconds : null
  world.alarm('invoice.retry', id, own.clock, at)
  world.invoices.patch(id, { next_payment_attempt: at })
}
