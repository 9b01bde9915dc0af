import { endReplaced } from '../billing/discounts.ts'
import { retotal } from '../billing/invoices.ts'
import { invoiceItemLine, itemOfLine } from '../billing/lines.ts'
import { invalid } from '../errors.ts'
import {
  bool,
  clearable,
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
import type { InvoiceItemRow } from '../rows.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import type { World } from '../world.ts'
import { currency } from './currency-param.ts'
import { discountsParam, lineDiscounts } from './discounts.ts'
import { checkedPeriod, type ItemPricing, paramIn, priceItem } from './make-invoice-item.ts'
import { taxRatesOf, taxRatesParam } from './tax-rates.ts'

const TAX_BEHAVIORS = ['exclusive', 'inclusive', 'unspecified'] as const

/** What an item, and a line that is made of one, can be given. */
export const pricedFields = {
  amount: integer(),
  pricing: shape({ price: text() }),
  price_data: shape({
    currency: required(currency),
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
  discounts: clearable(discountsParam),
  ...gaps('tax_code'),
}

/** A line can bring the product of its price along. https://docs.stripe.com/api/invoices/add_lines */
export const namedPriceData = shape({
  ...pricedFields.price_data.fields,
  product: text(),
  product_data: shape({
    name: required(text()),
    description: text(),
    images: list(text(), 8),
    metadata,
    tax_code: text(),
    unit_label: text(12),
  }),
})

export type ItemChanges = Omit<Params<typeof pricedFields>, 'price_data'> & Pick<ItemPricing, 'price_data'>

/** Changes an item that is pending or on a draft, and the line that it made there. `prefix` leads the names of parameters. */
export function changeItem(
  world: World,
  item: InvoiceItemRow,
  params: ItemChanges,
  prefix = '',
): InvoiceItemRow {
  const onDraft = draftOf(world, item)
  if (
    item.proration &&
    (params.amount ?? params.pricing ?? params.price_data ?? params.quantity) !== undefined
  ) {
    throw invalid('You cannot change the amount of a proration.', paramIn(prefix, 'amount'))
  }
  const { id, customer, currency: money, amount, own } = item
  const of = { invoiceItem: id, customer: customer as string, currency: money, amount, clock: own.clock }
  const discounts = lineDiscounts(world, params.discounts, of, paramIn(prefix, 'discounts'))
  const next = world.invoiceItems.patch(item.id, {
    ...repriced(world, item, params, prefix),
    ...(params.description === undefined ? {} : { description: params.description }),
    ...(params.tax_rates === undefined
      ? {}
      : { tax_rates: taxRatesOf(world, params.tax_rates, paramIn(prefix, 'tax_rates'), item.tax_rates) }),
    ...(params.discountable === undefined ? {} : { discountable: params.discountable }),
    ...(discounts === undefined ? {} : { discounts }),
    ...(params.period === undefined
      ? {}
      : { period: checkedPeriod(params.period, (name) => paramIn(prefix, name)) }),
    metadata: mergeMetadata(item.metadata ?? {}, params.metadata),
  } as Partial<InvoiceItemRow>)
  endReplaced(world, item.id, item.discounts ?? [], next.discounts ?? [])
  if (onDraft !== null) replaceLine(world, onDraft, next)
  return next
}

/** Deletes an item and its line on a draft. */
export function deleteItem(world: World, item: InvoiceItemRow): void {
  // No code and no parameter, and the same where the draft was deleted: as recorded.
  if (
    item.own.deleted === true ||
    (item.invoice !== null && world.invoices.must(item.invoice).status !== 'draft')
  ) {
    throw invalid("Can't delete an invoice item that is attached to an invoice that is no longer editable")
  }
  const onDraft = draftOf(world, item)
  world.invoiceItems.delete(item.id)
  world.emit('invoiceitem.deleted', item)
  endReplaced(world, item.id, item.discounts ?? [], [])
  if (onDraft !== null) dropLine(world, onDraft, item.id)
}

/** Takes an item off its draft; it waits for the next invoice again. */
export function unassignItem(world: World, item: InvoiceItemRow): void {
  const onDraft = draftOf(world, item)
  world.invoiceItems.patch(item.id, { invoice: null })
  if (onDraft !== null) dropLine(world, onDraft, item.id)
}

function dropLine(world: World, id: string, item: string): void {
  const invoice = world.invoices.must(id)
  const lines = invoice.own.lines.filter((line) => itemOfLine(line) !== item)
  world.invoices.patch(id, { own: { ...invoice.own, lines } })
  world.emit('invoice.updated', retotal(world, id))
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
  params: ItemPricing,
  prefix: string,
): Partial<InvoiceItemRow> {
  const sent = [params.amount, params.pricing, params.price_data, params.unit_amount_decimal]
  const priceless = sent.every((value) => value === undefined)
  const quantity = params.quantity !== undefined || params.quantity_decimal !== undefined
  if (priceless && !quantity && params.tax_behavior === undefined) return {}
  const kept = world.prices.get(item.pricing?.price_details?.price)
  const ofAmount = kept?.own.ofAmount === true
  const amount = params.amount !== undefined || params.unit_amount_decimal !== undefined
  const count = quantity ? {} : { quantity_decimal: item.quantity_decimal }
  const given: ItemPricing =
    amount || (priceless && (ofAmount || kept === undefined))
      ? {
          ...params,
          ...(amount
            ? {}
            : { ...count, unit_amount_decimal: item.pricing?.unit_amount_decimal ?? String(item.amount) }),
          // What nobody says stays as it was.
          description: params.description ?? item.description,
          tax_behavior:
            params.tax_behavior ?? (kept?.tax_behavior as ItemPricing['tax_behavior'] | null) ?? undefined,
        }
      : priceless
        ? {
            ...params,
            ...count,
            pricing: { price: kept?.id },
            mayBeArchived: true,
            tax_behavior: params.tax_behavior ?? item.own.taxBehavior,
          }
        : params
  // Another amount of what is called otherwise meanwhile is a price of the same product, as recorded.
  const priced = priceItem(world, given, item.currency, prefix, ofAmount ? kept.product : undefined)
  if (priced.currency !== item.currency)
    throw invalid('The currency of an invoice item cannot change.', paramIn(prefix, 'currency'))
  return {
    amount: priced.amount,
    net_amount: priced.amount,
    pricing: priced.pricing,
    quantity: Math.floor(Number(priced.quantity)),
    quantity_decimal: priced.quantity,
    own: { ...item.own, taxBehavior: priced.taxBehavior },
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
