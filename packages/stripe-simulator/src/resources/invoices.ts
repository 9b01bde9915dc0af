import type Stripe from 'stripe'
import { endReplaced } from '../billing/discounts.ts'
import { invalid } from '../errors.ts'
import type { Expansions } from '../http/expand.ts'
import { countedPage, firstPage, inRange, page, pageOf, paging } from '../http/list.ts'
import { del, get, nothing, post } from '../http/route.ts'
import { gaps, oneOf, range, shape, text } from '../http/schema.ts'
import type { InvoiceRow, LineRow } from '../rows.ts'
import type { Shown } from '../shown.ts'
import type { World } from '../world.ts'
import { discountOrId, expanded, expandedCustomer, expandedDiscounts, priceOrId } from './expanded.ts'
import { changeInvoice, invoiceFields } from './invoice-fields.ts'
import { find, findAs } from './lookup.ts'
import { createFields, makeInvoice } from './make-invoice.ts'
import { expandedTaxIds } from './printed-fields.ts'
import { expandedSource } from './sources.ts'

const URL = '/v1/invoices'

export const invoiceRoutes = [
  post(URL, shape(createFields), ({ world, params }) => world.render(makeInvoice(world, params))),
  get(
    URL,
    shape({
      ...paging,
      customer: text(),
      subscription: text(),
      status: oneOf(['draft', 'open', 'void', 'paid', 'uncollectible'] as const),
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
        noun: 'invoice',
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
  get(`${URL}/:id`, nothing, ({ world, path }) =>
    world.render(findAs('invoice', world.invoices, 'invoice', path())),
  ),
  get(`${URL}/:id/lines`, shape(paging), ({ world, params, path }) => {
    const id = path()
    const lines = world.previews.get(id) ?? find(world.invoices, 'invoice', id).own.lines
    return pageOf(lines, params, { noun: 'line item', url: `${URL}/${id}/lines`, render: renderLine })
  }),
  post(`${URL}/:id`, shape(invoiceFields), ({ world, params, path }) => {
    const { id } = find(world.invoices, 'invoice', path())
    return world.render(changeInvoice(world, id, params))
  }),
  del(`${URL}/:id`, nothing, ({ world, path }) => {
    const invoice = findAs('invoice', world.invoices, 'invoice', path())
    if (invoice.status !== 'draft') throw invalid('You can only delete draft invoices.')
    if (invoice.own.subscription !== null && invoice.billing_reason !== 'manual') {
      throw invalid('You can only delete one-off draft invoices: void the invoice of a subscription instead.')
    }
    // What was pending before does not wait for another invoice: it is gone with this one, as recorded.
    // github.com/Kiln-AI/stripe_world, cassette 13 (2026-08-26.dahlia): `include`, delete, list what is pending.
    for (const item of world.invoiceItems.by('invoice', invoice.id)) {
      world.invoiceItems.patch(item.id, { own: { ...item.own, deleted: true } })
      world.emit('invoiceitem.deleted', item)
      endReplaced(world, item.id, item.discounts ?? [], [])
    }
    world.alarm('invoice.finalize', invoice.id, invoice.own.clock, null)
    world.invoices.delete(invoice.id)
    world.emit('invoice.deleted', invoice)
    const ofLines = invoice.own.lines.flatMap((line) => line.discounts)
    endReplaced(world, invoice.id, [...invoice.discounts, ...ofLines], [])
    return { id: invoice.id, object: 'invoice', deleted: true }
  }),
]

export const invoiceExpansions: Expansions = {
  invoice: {
    customer: (world, row) => expandedCustomer(world, row.customer),
    default_payment_method: (world, row) =>
      expanded(world, world.paymentMethods.get(row.default_payment_method as string)),
    default_source: (world, row) => expandedSource(world, row.default_source),
    'from_invoice.invoice': (world, from) => expanded(world, world.invoices.get(from.invoice as string)),
    latest_revision: (world, row) => expanded(world, world.invoices.get(row.latest_revision as string)),
    'total_discount_amounts.discount': (world, { discount }) => discountOrId(world, discount),
    payments: (world, row) => {
      const payments = world.invoicePayments.by('invoice', row.id as string).reverse()
      return firstPage(payments, `/v1/invoice_payments?invoice=${row.id}`, (payment) => world.render(payment))
    },
    confirmation_secret: (world, row) => {
      const intent = world.paymentIntents.get(world.invoices.get(row.id as string)?.own.paymentIntent)
      return intent === undefined ? null : { client_secret: intent.client_secret, type: 'payment_intent' }
    },
    test_clock: (world, row) => expanded(world, world.testClocks.get(row.test_clock as string)),
    account_tax_ids: (world, row) => expandedTaxIds(world, row.account_tax_ids),
    discounts: (world, row) => expandedDiscounts(world, row.discounts),
    'parent.subscription_details.subscription': (world, details) =>
      world.render(world.subscriptions.must(details.subscription as string)),
  },
}

/** Lines are not rows: what they name is expanded from their own fields. */
export const lineExpansions: Expansions = {
  line_item: {
    discounts: (world, line) => expandedDiscounts(world, line.discounts),
    'discount_amounts.discount': (world, { discount }) => discountOrId(world, discount),
    'pricing.price_details.price': (world, details) => priceOrId(world, details.price as string),
    subscription: (world, line) =>
      line.subscription === null ? null : world.render(world.subscriptions.must(line.subscription as string)),
  },
}

/** An invoice shows only its own row, so each state of it is rendered once, however many events tell of it. */
export function renderInvoice(world: World, row: InvoiceRow): Shown<Stripe.Invoice> {
  const { lines } = row.own
  return world.invoices.shown<Shown<Stripe.Invoice>>(row, [], (last) => ({
    ...row,
    own: undefined,
    lines:
      last?.row.own.lines === lines
        ? last.json.lines
        : countedPage(lines, `${URL}/${row.id}/lines`, renderLine),
    test_clock: row.own.clock,
  }))
}

export function renderLine(line: LineRow): Shown<Stripe.InvoiceLineItem> {
  return { ...line, own: undefined }
}
