import { endReplaced } from '../billing/discounts.ts'
import { retotal } from '../billing/invoices.ts'
import { itemOfLine } from '../billing/lines.ts'
import { invalid, missing } from '../errors.ts'
import { post } from '../http/route.ts'
import { gaps, list, metadata, oneOf, required, shape, text } from '../http/schema.ts'
import type { InvoiceItemRow, InvoiceRow, Json, LineRow } from '../rows.ts'
import { defined } from '../rules/defined.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import type { World } from '../world.ts'
import {
  changeItem,
  deleteItem,
  type ItemChanges,
  namedPriceData,
  pricedFields,
  unassignItem,
} from './change-invoice-item.ts'
import { lineDiscounts } from './discounts.ts'
import { find } from './lookup.ts'
import { addLine, checkedPeriod, createInvoiceItem, editableInvoice, paramIn } from './make-invoice-item.ts'
import { taxRatesOf } from './tax-rates.ts'

const URL = '/v1/invoices'

const {
  unit_amount_decimal: _unit,
  tax_behavior: _behavior,
  price_data: _product,
  ...lineFields
} = pricedFields
const fields = { ...lineFields, price_data: namedPriceData, ...gaps('tax_amounts') }

/** Several lines of a draft in one call. https://docs.stripe.com/invoicing/bulk-update-line-item */
export const invoiceLineRoutes = [
  post(
    `${URL}/:id/add_lines`,
    shape({
      lines: required(list(shape({ ...fields, invoice_item: text() }))),
      invoice_metadata: metadata,
    }),
    ({ world, params, path }) => {
      const { id, customer } = editableInvoice(world, path())
      for (const [i, { invoice_item: item, ...line }] of params.lines.entries()) {
        const at = `lines[${i}]`
        if (item === undefined) {
          createInvoiceItem(world, { ...line, invoice: id }, at)
          continue
        }
        const assigned = assign(world, id, customer as string, item, paramIn(at, 'invoice_item'))
        if (Object.keys(defined(line)).length > 0) changeItem(world, assigned, line, at)
      }
      return told(world, id, params.invoice_metadata)
    },
  ),
  post(
    `${URL}/:id/update_lines`,
    shape({
      lines: required(list(shape({ ...fields, id: required(text()) }))),
      invoice_metadata: metadata,
    }),
    ({ world, params, path }) => {
      const invoice = editableInvoice(world, path())
      for (const [i, { id, ...changes }] of params.lines.entries()) {
        changeLine(world, invoice.id, id, changes, `lines[${i}]`)
      }
      return told(world, invoice.id, params.invoice_metadata)
    },
  ),
  post(
    `${URL}/:id/remove_lines`,
    shape({
      lines: required(
        list(shape({ id: required(text()), behavior: required(oneOf(['delete', 'unassign'] as const)) })),
      ),
      invoice_metadata: metadata,
    }),
    ({ world, params, path }) => {
      const invoice = editableInvoice(world, path())
      for (const [i, { id, behavior }] of params.lines.entries()) {
        const item = itemOf(world, lineOf(world, invoice.id, id, `lines[${i}][id]`))
        if (item === undefined) {
          throw invalid('The lines of a subscription cannot be removed.', `lines[${i}][id]`)
        }
        if (behavior === 'delete') deleteItem(world, item)
        else unassignItem(world, item)
      }
      return told(world, invoice.id, params.invoice_metadata)
    },
  ),
  post(`${URL}/:id/lines/:line`, shape(fields), ({ world, params, path }) => {
    const invoice = editableInvoice(world, path())
    changeLine(world, invoice.id, path('line'), params, '')
    const { own: _own, ...line } = lineOf(world, invoice.id, path('line'))
    return line as unknown as Json
  }),
]

/** Puts a pending item of the customer onto the draft. */
function assign(world: World, invoice: string, customer: string, id: string, param: string): InvoiceItemRow {
  const item = find(world.invoiceItems, 'invoiceitem', id, param)
  const { currency } = world.invoices.must(invoice)
  if (item.customer !== customer || item.invoice !== null || item.currency !== currency) {
    throw invalid('The invoice item must be pending, of the same customer and in the same currency.', param)
  }
  const assigned = world.invoiceItems.patch(id, { invoice })
  addLine(world, invoice, assigned)
  return assigned
}

/** A line that an invoice item made changes with it. Of a subscription's own lines the amount stands. */
function changeLine(world: World, invoice: string, id: string, changes: ItemChanges, prefix: string): void {
  const line = lineOf(world, invoice, id, prefix === '' ? undefined : `${prefix}[id]`)
  const item = itemOf(world, line)
  if (item !== undefined) {
    changeItem(world, item, changes, prefix)
    return
  }
  const fixed = (['amount', 'pricing', 'price_data', 'quantity', 'quantity_decimal'] as const).find(
    (name) => changes[name] !== undefined,
  )
  if (fixed !== undefined) {
    throw invalid('What a subscription bills cannot be changed on its invoice.', paramIn(prefix, fixed))
  }
  const { description, discountable, period, tax_rates: rates, metadata: labels } = changes
  const ids =
    rates === undefined
      ? line.own.taxRates
      : taxRatesOf(world, rates, paramIn(prefix, 'tax_rates')).map((rate) => rate.id)
  const draft = world.invoices.must(invoice)
  const { customer, currency, own } = draft
  const of = { invoice, customer: customer as string, currency, amount: line.amount, clock: own.clock }
  const discounts = lineDiscounts(world, changes.discounts, of, paramIn(prefix, 'discounts'))
  const next: LineRow = {
    ...line,
    ...defined({ description, discountable, discounts }),
    period: checkedPeriod(period, (name) => paramIn(prefix, name)) ?? line.period,
    metadata: mergeMetadata(line.metadata, labels),
    own: { ...line.own, taxRates: ids },
  } as LineRow
  const lines = draft.own.lines.map((row) => (row.id === id ? next : row))
  world.invoices.patch(invoice, { own: { ...draft.own, lines } })
  endReplaced(world, invoice, line.discounts, next.discounts)
  world.emit('invoice.updated', retotal(world, invoice))
}

function lineOf(world: World, invoice: string, id: string, param?: string): LineRow {
  const line = world.invoices.must(invoice).own.lines.find((row) => row.id === id)
  if (line !== undefined) return line
  throw missing('line item', id, param)
}

function itemOf(world: World, line: LineRow): InvoiceItemRow | undefined {
  return world.invoiceItems.get(itemOfLine(line))
}

function told(world: World, id: string, labels: Parameters<typeof mergeMetadata>[1]): Json {
  const invoice: InvoiceRow = world.invoices.must(id)
  if (labels === undefined) return world.render(invoice)
  const next = world.invoices.patch(id, { metadata: mergeMetadata(invoice.metadata ?? {}, labels) })
  world.emit('invoice.updated', next)
  return world.render(next)
}
