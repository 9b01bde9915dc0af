import type Stripe from 'stripe'
import { retotal } from '../billing/invoices.ts'
import { invoiceItemLine, itemOfLine } from '../billing/lines.ts'
import { invalid } from '../errors.ts'
import type { Expansions } from '../http/expand.ts'
import { inRange, page, paging } from '../http/list.ts'
import { del, get, nothing, post } from '../http/route.ts'
import {
  bool,
  decimal,
  gaps,
  integer,
  metadata,
  oneOf,
  range,
  required,
  shape,
  text,
  timestamp,
} from '../http/schema.ts'
import type { InvoiceItemRow } from '../rows.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import type { Shown } from '../shown.ts'
import type { World } from '../world.ts'
import { find } from './lookup.ts'
import { checkedPeriod, createInvoiceItem, priceItem } from './make-invoice-item.ts'
import { renderRates, taxRatesOf, taxRatesParam } from './tax-rates.ts'

const URL = '/v1/invoiceitems'
const TAX_BEHAVIORS = ['exclusive', 'inclusive', 'unspecified'] as const

const pricedFields = {
  amount: integer(),
  pricing: shape({ price: text() }),
  price_data: shape({
    currency: required(text()),
    product: required(text()),
    unit_amount: integer(),
    unit_amount_decimal: decimal,
    tax_behavior: oneOf(TAX_BEHAVIORS),
  }),
  quantity: integer({ min: 0 }),
  quantity_decimal: decimal,
  unit_amount_decimal: decimal,
  description: text(),
  discountable: bool,
  metadata,
  period: shape({ start: required(timestamp), end: required(timestamp) }),
  tax_behavior: oneOf(TAX_BEHAVIORS),
  tax_rates: taxRatesParam,
  ...gaps('discounts', 'tax_code'),
}

export const invoiceItemRoutes = [
  post(
    URL,
    shape({
      ...pricedFields,
      customer: text(),
      currency: text(),
      invoice: text(),
      subscription: text(),
      ...gaps('customer_account'),
    }),
    ({ world, params }) => world.render(createInvoiceItem(world, params)),
  ),
  get(`${URL}/:id`, nothing, ({ world, path }) =>
    world.render(find(world.invoiceItems, 'invoiceitem', path())),
  ),
  post(`${URL}/:id`, shape({ ...pricedFields, ...gaps('invoicing_rules') }), ({ world, params, path }) => {
    const item = find(world.invoiceItems, 'invoiceitem', path())
    const onDraft = draftOf(world, item)
    if (
      item.proration &&
      (params.amount ?? params.pricing ?? params.price_data ?? params.quantity) !== undefined
    ) {
      throw invalid('You cannot change the amount of a proration.', 'amount')
    }
    const next = world.invoiceItems.patch(item.id, {
      ...repriced(world, item, params),
      ...(params.description === undefined ? {} : { description: params.description }),
      ...(params.tax_rates === undefined
        ? {}
        : { tax_rates: taxRatesOf(world, params.tax_rates, 'tax_rates', item.tax_rates) }),
      ...(params.discountable === undefined ? {} : { discountable: params.discountable }),
      ...(params.period === undefined ? {} : { period: checkedPeriod(params.period) }),
      metadata: mergeMetadata(item.metadata ?? {}, params.metadata),
    } as Partial<InvoiceItemRow>)
    if (onDraft !== null) replaceLine(world, onDraft, next)
    return world.render(next)
  }),
  get(
    URL,
    shape({
      ...paging,
      created: range,
      customer: text(),
      invoice: text(),
      pending: bool,
      ...gaps('customer_account'),
    }),
    ({ world, params }) => {
      if (params.customer !== undefined) find(world.customers, 'customer', params.customer, 'customer')
      if (params.invoice !== undefined) find(world.invoices, 'invoice', params.invoice, 'invoice')
      return page(world.invoiceItems, params, {
        url: URL,
        where:
          params.invoice !== undefined
            ? { index: 'invoice', key: params.invoice }
            : params.customer === undefined
              ? null
              : { index: params.pending === true ? 'pending' : 'customer', key: params.customer },
        matches: (row) =>
          (params.customer === undefined || row.customer === params.customer) &&
          (params.pending === undefined || (row.invoice === null) === params.pending) &&
          inRange(row.date, params.created),
        render: (row) => world.render(row),
      })
    },
  ),
  del(`${URL}/:id`, nothing, ({ world, path }) => {
    const item = find(world.invoiceItems, 'invoiceitem', path())
    const onDraft = draftOf(world, item)
    world.invoiceItems.delete(item.id)
    world.emit('invoiceitem.deleted', item)
    if (onDraft !== null) {
      const invoice = world.invoices.must(onDraft)
      const lines = invoice.own.lines.filter((line) => itemOfLine(line) !== item.id)
      world.invoices.patch(onDraft, { own: { ...invoice.own, lines } })
      world.emit('invoice.updated', retotal(world, onDraft))
    }
    return { id: item.id, object: 'invoiceitem', deleted: true }
  }),
]

export const invoiceItemExpansions: Expansions = {
  invoiceitem: {
    customer: (world, row) => world.render(world.customers.must(row.customer as string)),
    invoice: (world, row) =>
      row.invoice === null ? null : world.render(world.invoices.must(row.invoice as string)),
    test_clock: (world, row) =>
      row.test_clock === null ? null : world.render(world.testClocks.must(row.test_clock as string)),
    discounts: (world, row) =>
      (row.discounts as string[]).map((id) => world.render(world.discounts.must(id))),
  },
}

/** The draft that the item is on, null when it is pending; what is finalized cannot be changed. */
function draftOf(world: World, item: InvoiceItemRow): string | null {
  if (item.invoice === null) return null
  const invoice = world.invoices.must(item.invoice)
  if (invoice.status === 'draft') return invoice.id
  throw invalid(
    "This invoice item is attached to an invoice that is no longer editable. You can't modify or delete it.",
    undefined,
    'invoice_not_editable',
  )
}

function repriced(
  world: World,
  item: InvoiceItemRow,
  params: Parameters<typeof priceItem>[1],
): Partial<InvoiceItemRow> {
  const sent = [params.amount, params.pricing, params.price_data, params.unit_amount_decimal]
  const quantity = params.quantity !== undefined || params.quantity_decimal !== undefined
  if (sent.every((value) => value === undefined) && !quantity) return {}
  const kept = item.pricing?.price_details?.price
  const given =
    !quantity || sent.some((value) => value !== undefined)
      ? params
      : kept !== undefined
        ? { ...params, pricing: { price: kept } }
        : { ...params, unit_amount_decimal: item.pricing?.unit_amount_decimal ?? String(item.amount) }
  const priced = priceItem(world, given, item.currency)
  if (priced.currency !== item.currency)
    throw invalid('The currency of an invoice item cannot change.', 'currency')
  return {
    amount: priced.amount,
    net_amount: priced.amount,
    pricing: priced.pricing,
    quantity: Math.floor(Number(priced.quantity)),
    quantity_decimal: priced.quantity,
  }
}

/** The line keeps its id and its place. */
function replaceLine(world: World, id: string, item: InvoiceItemRow): void {
  const invoice = world.invoices.must(id)
  const lines = invoice.own.lines.map((line) =>
    itemOfLine(line) === item.id ? { ...invoiceItemLine(world, item), id: line.id, invoice: id } : line,
  )
  world.invoices.patch(id, { own: { ...invoice.own, lines } })
  world.emit('invoice.updated', retotal(world, id))
}

export function renderInvoiceItem(
  world: World,
  { own: _own, ...item }: InvoiceItemRow,
): Shown<Stripe.InvoiceItem> {
  return { ...item, tax_rates: renderRates(world, item.tax_rates) }
}
