import type Stripe from 'stripe'
import { invalid, StripeError } from '../errors.ts'
import type { Expansions } from '../http/expand.ts'
import { inRange, page, paging } from '../http/list.ts'
import { del, get, nothing, post } from '../http/route.ts'
import { bool, gaps, range, shape, text } from '../http/schema.ts'
import type { InvoiceItemRow } from '../rows.ts'
import type { Shown } from '../shown.ts'
import type { World } from '../world.ts'
import { changeItem, deleteItem, pricedFields } from './change-invoice-item.ts'
import { currency } from './currency-param.ts'
import { expanded, expandedCustomer, expandedDiscounts, priceOrId } from './expanded.ts'
import { find } from './lookup.ts'
import { createInvoiceItem } from './make-invoice-item.ts'
import { renderRates } from './tax-rates.ts'

const URL = '/v1/invoiceitems'
export const invoiceItemRoutes = [
  post(
    URL,
    shape({
      ...pricedFields,
      customer: text(),
      currency,
      invoice: text(),
      subscription: text(),
      ...gaps('customer_account'),
    }),
    ({ world, params }) => world.render(createInvoiceItem(world, params)),
  ),
  get(`${URL}/:id`, nothing, ({ world, path }) => {
    const item = itemOf(world, path())
    if (item.own.deleted === true) throw noSuchItem(item.id)
    return world.render(item)
  }),
  post(`${URL}/:id`, shape({ ...pricedFields, ...gaps('invoicing_rules') }), ({ world, params, path }) => {
    const item = itemOf(world, path())
    if (item.own.deleted === true) throw invalid('This invoice item has been deleted.')
    return world.render(changeItem(world, item, params))
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
        noun: 'invoiceitem',
        url: URL,
        where:
          params.invoice !== undefined
            ? { index: 'invoice', key: params.invoice }
            : params.customer === undefined
              ? null
              : { index: params.pending === true ? 'pending' : 'customer', key: params.customer },
        matches: (row) =>
          row.own.deleted !== true &&
          (params.customer === undefined || row.customer === params.customer) &&
          (params.pending === undefined || (row.invoice === null) === params.pending) &&
          inRange(row.date, params.created),
        render: (row) => world.render(row),
      })
    },
  ),
  del(`${URL}/:id`, nothing, ({ world, path }) => {
    const item = itemOf(world, path())
    deleteItem(world, item)
    return { id: item.id, object: 'invoiceitem', deleted: true }
  }),
]

/** One whose draft was deleted too: nothing shows it, and each verb says so in its own words, as recorded. */
function itemOf(world: World, id: string): InvoiceItemRow {
  const item = world.invoiceItems.get(id)
  if (item === undefined) throw noSuchItem(id)
  return item
}

/** The words of Stripe for it are unlike all others: github.com/Kiln-AI/stripe_world, cassette 13. */
function noSuchItem(id: string): StripeError {
  return new StripeError(404, {
    type: 'invalid_request_error',
    code: 'resource_missing',
    message: `No such Invoice Item: '${id}'(livemode=false)`,
    param: 'id',
  })
}

export const invoiceItemExpansions: Expansions = {
  invoiceitem: {
    customer: (world, row) => expandedCustomer(world, row.customer),
    invoice: (world, row) =>
      row.invoice === null ? null : world.render(world.invoices.must(row.invoice as string)),
    'pricing.price_details.price': (world, details) => priceOrId(world, details.price as string),
    test_clock: (world, row) => expanded(world, world.testClocks.get(row.test_clock as string)),
    discounts: (world, row) => expandedDiscounts(world, row.discounts),
  },
}

export function renderInvoiceItem(
  world: World,
  { own: _own, ...item }: InvoiceItemRow,
): Shown<Stripe.InvoiceItem> {
  return { ...item, frozen_fields: [], invoicing_rules: [], tax_rates: renderRates(world, item.tax_rates) }
}
