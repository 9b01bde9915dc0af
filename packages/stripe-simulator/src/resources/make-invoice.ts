import { runningDiscounts } from '../billing/discounts.ts'
import { announce, createDraft, retotal } from '../billing/invoices.ts'
import { takePending } from '../billing/pending.ts'
import { copyLines, revisable } from '../billing/revise.ts'
import { invalid } from '../errors.ts'
import { gaps, oneOf, type Params, required, shape, text } from '../http/schema.ts'
import type { InvoiceRow, LineRow, SubscriptionRow } from '../rows.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import type { World } from '../world.ts'
import { currency } from './currency-param.ts'
import { invoiceFields, setFields } from './invoice-fields.ts'
import { find, liveCustomer } from './lookup.ts'

export const createFields = {
  ...invoiceFields,
  customer: text(),
  subscription: text(),
  currency,
  pending_invoice_items_behavior: oneOf(['include', 'exclude'] as const),
  from_invoice: shape({ action: required(oneOf(['revision'] as const)), invoice: required(text()) }),
  ...gaps('customer_account'),
}

type CreateParams = Params<typeof createFields>

/** A draft that somebody makes by hand, new or as the revision of another. https://docs.stripe.com/api/invoices/create */
export function makeInvoice(world: World, params: CreateParams): InvoiceRow {
  if (params.from_invoice !== undefined) return makeRevision(world, params, params.from_invoice.invoice)
  const subscription =
    params.subscription === undefined
      ? undefined
      : find(world.subscriptions, 'subscription', params.subscription, 'subscription')
  const customerId = params.customer ?? subscription?.customer
  if (customerId === undefined) {
    throw invalid('Missing required param: customer.', 'customer', 'parameter_missing')
  }
  const customer = liveCustomer(world, customerId, 'customer')
  if (subscription !== undefined && subscription.customer !== customer.id) {
    throw invalid(`The subscription ${subscription.id} does not belong to the customer.`, 'subscription')
  }
  const currency = params.currency?.toLowerCase() ?? subscription?.currency ?? customer.currency ?? 'usd'
  const now = world.now(customer.own.clock)
  const pending = pendingOf(world, params, customer.id, subscription, currency)
  const method = params.collection_method ?? 'charge_automatically'
  if (method === 'send_invoice' && params.days_until_due === undefined && params.due_date === undefined) {
    throw invalid(
      "If invoice collection method is 'send_invoice', you must specify 'due_date' or 'days_until_due'.",
    )
  }
  const draft = createDraft(world, {
    customer: customer.id,
    subscription: subscription?.id ?? null,
    currency,
    reason: 'manual',
    lines: pending.map(({ line }) => line),
    discounts: runningDiscounts(world, subscription?.discounts ?? [], customer.id, now),
    period: { start: now, end: now },
    at: now,
    collectionMethod: method,
    daysUntilDue: method === 'send_invoice' ? (params.days_until_due ?? null) : null,
    autoAdvance: params.auto_advance ?? false,
  })
  for (const { item } of pending) world.invoiceItems.patch(item, { invoice: draft.id })
  setFields(world, draft.id, given(params))
  return announce(world, draft.id)
}

/** Of the parameters those that an update takes as well. */
function given(params: CreateParams): Params<typeof invoiceFields> {
  const {
    customer: _customer,
    subscription: _subscription,
    currency: _currency,
    pending_invoice_items_behavior: _pending,
    from_invoice: _from,
    ...fields
  } = params
  return { ...fields, auto_advance: fields.auto_advance ?? false }
}

/** Flexible subscriptions put their pending items onto manual invoices whatever the parameter says. */
function pendingOf(
  world: World,
  { pending_invoice_items_behavior: behavior }: CreateParams,
  customer: string,
  subscription: SubscriptionRow | undefined,
  currency: string,
): { item: string; line: LineRow }[] {
  if (behavior !== 'include' && subscription?.billing_mode.type !== 'flexible') return []
  return takePending(world, customer, subscription?.id ?? null, currency).filter(
    ({ item }) =>
      behavior === 'include' || world.invoiceItems.must(item).own.subscription === subscription?.id,
  )
}

/** A draft that takes the place of a finalized invoice when it is finalized itself. */
function makeRevision(world: World, params: CreateParams, from: string): InvoiceRow {
  const named = find(world.invoices, 'invoice', from, 'from_invoice[invoice]')
  const original = revisable(world, named, 'from_invoice[invoice]')
  for (const name of ['customer', 'subscription', 'currency', 'pending_invoice_items_behavior'] as const) {
    if (params[name] !== undefined) throw invalid(`You cannot set \`${name}\` of a revision.`, name)
  }
  const now = world.now(original.own.clock)
  const draft = createDraft(world, {
    customer: original.customer as string,
    subscription: null,
    currency: original.currency,
    reason: original.billing_reason,
    lines: [],
    discounts: original.discounts,
    period: { start: original.period_start, end: original.period_end },
    at: now,
    collectionMethod: original.collection_method === 'send_invoice' ? 'send_invoice' : 'charge_automatically',
    daysUntilDue: null,
    autoAdvance: false,
    metadata: mergeMetadata(original.metadata ?? {}, undefined),
    description: original.description,
    taxRates: original.default_tax_rates,
    automaticTax: original.automatic_tax.enabled,
  })
  const {
    account_tax_ids,
    custom_fields,
    default_payment_method,
    default_source,
    due_date,
    footer,
    payment_settings,
    rendering,
    shipping_details,
    statement_descriptor,
  } = original
  world.invoices.patch(draft.id, {
    account_tax_ids,
    custom_fields,
    default_payment_method,
    default_source,
    due_date,
    footer,
    payment_settings,
    rendering,
    shipping_details,
    statement_descriptor,
    from_invoice: { action: 'revision', invoice: original.id },
    own: { ...draft.own, lines: copyLines(world, original, draft.id) },
  })
  retotal(world, draft.id)
  setFields(world, draft.id, given(params))
  return announce(world, draft.id)
}
