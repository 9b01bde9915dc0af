import type Stripe from 'stripe'
import { runningDiscounts } from '../billing/discounts.ts'
import { announce, createDraft, retotal, scheduleFinalization } from '../billing/invoices.ts'
import { takePending } from '../billing/pending.ts'
import { invalid } from '../errors.ts'
import type { Expansions } from '../http/expand.ts'
import { inRange, page, pageOf, paging } from '../http/list.ts'
import { del, get, nothing, post } from '../http/route.ts'
import {
  bool,
  clearable,
  gaps,
  integer,
  list,
  metadata,
  oneOf,
  range,
  required,
  shape,
  text,
  timestamp,
} from '../http/schema.ts'
import type { InvoiceRow, LineRow } from '../rows.ts'
import { defined } from '../rules/defined.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import type { Shown } from '../shown.ts'
import type { World } from '../world.ts'
import { ownMethod } from './customers.ts'
import { applyDiscounts, type DiscountGiven, discountParam } from './discounts.ts'
import { find, liveCustomer } from './lookup.ts'
import { taxRatesOf, taxRatesParam } from './tax-rates.ts'

const URL = '/v1/invoices'

const editable = {
  auto_advance: bool,
  collection_method: oneOf(['charge_automatically', 'send_invoice'] as const),
  custom_fields: clearable(list(shape({ name: required(text(40)), value: required(text(140)) }), 4)),
  days_until_due: integer({ min: 0 }),
  due_date: timestamp,
  default_payment_method: clearable(text()),
  description: clearable(text()),
  footer: clearable(text()),
  metadata,
  number: clearable(text(26)),
  automatically_finalizes_at: timestamp,
  effective_at: clearable(timestamp),
  statement_descriptor: text(22),
  discounts: clearable(list(discountParam)),
  default_tax_rates: taxRatesParam,
  ...gaps(
    'account_tax_ids',
    'application_fee_amount',
    'automatic_tax',
    'default_source',
    'issuer',
    'on_behalf_of',
    'payment_settings',
    'rendering',
    'shipping_cost',
    'shipping_details',
    'transfer_data',
  ),
}

export const invoiceRoutes = [
  post(
    URL,
    shape({
      ...editable,
      customer: text(),
      subscription: text(),
      currency: text(),
      pending_invoice_items_behavior: oneOf(['include', 'exclude'] as const),
      ...gaps('customer_account', 'from_invoice'),
    }),
    ({ world, params }) => {
      const subscription =
        params.subscription === undefined
          ? undefined
          : find(world.subscriptions, 'subscription', params.subscription, 'subscription')
      const customerId = params.customer ?? subscription?.customer
      if (customerId === undefined)
        throw invalid('Missing required param: customer.', 'customer', 'parameter_missing')
      const customer = liveCustomer(world, customerId, 'customer')
      const currency = params.currency?.toLowerCase() ?? subscription?.currency ?? customer.currency ?? 'usd'
      const now = world.now(customer.own.clock)
      // Flexible subscriptions put their pending items onto manual invoices whatever the parameter says.
      const flexible = subscription?.billing_mode.type === 'flexible'
      const include = params.pending_invoice_items_behavior === 'include' || flexible
      const pending = include
        ? takePending(world, customer.id, subscription?.id ?? null, currency).filter(
            ({ item }) =>
              params.pending_invoice_items_behavior === 'include' ||
              world.invoiceItems.must(item).own.subscription === subscription?.id,
          )
        : []
      const method = params.collection_method ?? 'charge_automatically'
      if (params.due_date !== undefined && method !== 'send_invoice') {
        throw invalid('You can only specify `due_date` with `collection_method=send_invoice`.', 'due_date')
      }
      if (params.default_payment_method != null) {
        ownMethod(world, customer.id, params.default_payment_method, 'default_payment_method')
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
        daysUntilDue: method === 'send_invoice' ? (params.days_until_due ?? 30) : null,
        autoAdvance: params.auto_advance ?? false,
        metadata: mergeMetadata({}, params.metadata),
        description: params.description ?? null,
      })
      for (const { item } of pending) world.invoiceItems.patch(item, { invoice: draft.id })
      const {
        custom_fields,
        due_date,
        default_payment_method,
        footer,
        number,
        effective_at,
        statement_descriptor,
      } = params
      world.invoices.patch(
        draft.id,
        defined({
          custom_fields,
          due_date,
          default_payment_method,
          footer,
          number,
          effective_at,
          statement_descriptor,
        }),
      )
      setDiscounts(world, draft.id, params.discounts)
      setTaxRates(world, draft.id, params.default_tax_rates)
      setAutoAdvance(world, draft.id, params.auto_advance ?? false, params.automatically_finalizes_at)
      return world.render(announce(world, draft.id))
    },
  ),
  get(
    URL,
    shape({
      ...paging,
      customer: text(),
      subscription: text(),
      status: oneOf(['draft', 'open', 'paid', 'uncollectible', 'void'] as const),
      collection_method: oneOf(['charge_automatically', 'send_invoice'] as const),
      created: range,
      due_date: range,
      ...gaps('customer_account'),
    }),
    ({ world, params }) => {
      if (params.customer !== undefined) find(world.customers, 'customer', params.customer, 'customer')
      if (params.subscription !== undefined) {
        find(world.subscriptions, 'subscription', params.subscription, 'subscription')
      }
      return page(world.invoices, params, {
        url: URL,
        where:
          params.subscription !== undefined
            ? { index: 'subscription', key: params.subscription }
            : params.customer === undefined
              ? null
              : { index: 'customer', key: params.customer },
        matches: (row) =>
          (params.customer === undefined || row.customer === params.customer) &&
          (params.status === undefined || row.status === params.status) &&
          (params.collection_method === undefined || row.collection_method === params.collection_method) &&
          inRange(row.created, params.created) &&
          (params.due_date === undefined ||
            (row.due_date !== null && inRange(row.due_date, params.due_date))),
        render: (row) => world.render(row),
      })
    },
  ),
  get(`${URL}/:id`, nothing, ({ world, path }) => world.render(find(world.invoices, 'invoice', path()))),
  get(`${URL}/:id/lines`, shape(paging), ({ world, params, path }) => {
    const id = path()
    const lines = world.previews.get(id) ?? find(world.invoices, 'invoice', id).own.lines
    return pageOf(lines, params, `${URL}/${id}/lines`, renderLine)
  }),
  post(`${URL}/:id`, shape(editable), ({ world, params, path }) => {
    const invoice = find(world.invoices, 'invoice', path())
    const { metadata: labels, auto_advance: advance, automatically_finalizes_at: at, ...changes } = params
    if (
      invoice.status !== 'draft' &&
      Object.keys(defined(changes)).some((name) => !AFTER_FINALIZING.has(name))
    ) {
      throw invalid(
        "Finalized invoices can't be updated in this way.",
        Object.keys(defined(changes)).find((name) => !AFTER_FINALIZING.has(name)),
        'invoice_not_editable',
      )
    }
    if (changes.default_payment_method != null) {
      ownMethod(world, invoice.customer as string, changes.default_payment_method, 'default_payment_method')
    }
    const { days_until_due: days, discounts, default_tax_rates: rates, ...direct } = changes
    setTaxRates(world, invoice.id, rates)
    setDiscounts(world, invoice.id, discounts)
    world.invoices.patch(invoice.id, {
      ...defined(direct),
      ...(days === undefined ? {} : { due_date: invoice.created + days * 86_400 }),
      metadata: mergeMetadata(invoice.metadata ?? {}, labels),
    } as Partial<InvoiceRow>)
    if (advance !== undefined || at !== undefined)
      setAutoAdvance(world, invoice.id, advance ?? invoice.auto_advance ?? false, at)
    const next = invoice.status === 'draft' ? retotal(world, invoice.id) : world.invoices.must(invoice.id)
    world.emit('invoice.updated', next)
    return world.render(next)
  }),
  del(`${URL}/:id`, nothing, ({ world, path }) => {
    const invoice = find(world.invoices, 'invoice', path())
    if (invoice.status !== 'draft') throw invalid('You can only delete draft invoices.')
    if (invoice.own.subscription !== null && invoice.billing_reason !== 'manual') {
      throw invalid('You can only delete one-off draft invoices: void the invoice of a subscription instead.')
    }
    for (const item of world.invoiceItems.by('invoice', invoice.id)) {
      world.invoiceItems.delete(item.id)
      world.emit('invoiceitem.deleted', item)
    }
    world.alarm('invoice.finalize', invoice.id, invoice.own.clock, null)
    world.invoices.delete(invoice.id)
    world.emit('invoice.deleted', invoice)
    return { id: invoice.id, object: 'invoice', deleted: true }
  }),
]

/** What of a finalized invoice can still change. */
const AFTER_FINALIZING = new Set([
  'default_payment_method',
  'collection_method',
  'due_date',
  'days_until_due',
])

/** A filled list replaces the discounts of a draft, empty text clears them. */
function setDiscounts(world: World, id: string, given: DiscountGiven[] | null | undefined): void {
  if (given === undefined || given?.length === 0) return
  const invoice = world.invoices.must(id)
  const at = world.now(invoice.own.clock)
  const to = { customer: invoice.customer as string, invoice: id, at, clock: invoice.own.clock }
  world.invoices.patch(id, { discounts: given === null ? [] : applyDiscounts(world, given, to) })
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
  const invoice = world.invoices.patch(id, { auto_advance: on })
  if (invoice.status !== 'draft') {
    if (!on) world.alarm('invoice.retry', id, invoice.own.clock, null)
    return
  }
  if (on || at !== undefined) {
    scheduleFinalization(world, id, at ?? world.now(invoice.own.clock) + world.settings.draftSeconds)
    return
  }
  world.alarm('invoice.finalize', id, invoice.own.clock, null)
  world.invoices.patch(id, { automatically_finalizes_at: null, next_payment_attempt: null })
}

export const invoiceExpansions: Expansions = {
  invoice: {
    customer: (world, row) => world.render(world.customers.must(row.customer as string)),
    default_payment_method: (world, row) => {
      const method = world.paymentMethods.get(row.default_payment_method as string)
      return method === undefined ? null : world.render(method)
    },
    payments: (world, row) => {
      const payments = world.invoicePayments.by('invoice', row.id as string).reverse()
      return pageOf(payments, {}, `/v1/invoice_payments?invoice=${row.id}`, (payment) =>
        world.render(payment),
      )
    },
    confirmation_secret: (world, row) => {
      const intent = world.paymentIntents.get(world.invoices.get(row.id as string)?.own.paymentIntent)
      return intent === undefined ? null : { client_secret: intent.client_secret, type: 'payment_intent' }
    },
    test_clock: (world, row) => {
      const clock = world.testClocks.get(row.test_clock as string)
      return clock === undefined ? null : world.render(clock)
    },
    discounts: (world, row) =>
      (row.discounts as string[]).map((id) => world.render(world.discounts.must(id))),
    'parent.subscription_details.subscription': (world, details) =>
      world.render(world.subscriptions.must(details.subscription as string)),
  },
}

/** Lines are not rows: what they name is expanded from their own fields. */
export const lineExpansions: Expansions = {
  line_item: {
    'pricing.price_details.price': (world, details) =>
      world.render(world.prices.must(details.price as string)),
    subscription: (world, line) =>
      line.subscription === null ? null : world.render(world.subscriptions.must(line.subscription as string)),
  },
}

const rendered = new WeakMap<InvoiceRow, Shown<Stripe.Invoice>>()

/** An invoice shows only its own row, so each state of it is rendered once, however many events tell of it. */
export function renderInvoice(_world: World, row: InvoiceRow): Shown<Stripe.Invoice> {
  const known = rendered.get(row)
  if (known !== undefined) return known
  const { own, ...invoice } = row
  const shown = {
    ...invoice,
    lines: pageOf(own.lines, {}, `${URL}/${invoice.id}/lines`, renderLine),
    test_clock: own.clock,
  }
  rendered.set(row, shown)
  return shown
}

export function renderLine({ own: _own, ...line }: LineRow): Shown<Stripe.InvoiceLineItem> {
  return line
}
