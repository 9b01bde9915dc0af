import type Stripe from 'stripe'
import { amountLine, creditLines } from '../billing/credit-note-lines.ts'
import { issueCreditNote, voidCreditNote } from '../billing/credit-notes.ts'
import { invalid } from '../errors.ts'
import type { Expansions } from '../http/expand.ts'
import { firstPage, inRange, page, pageOf, paging } from '../http/list.ts'
import { get, nothing, post } from '../http/route.ts'
import {
  clearable,
  decimal,
  gaps,
  integer,
  list,
  metadata,
  oneOf,
  type Params,
  playedOf,
  range,
  required,
  shape,
  text,
  timestamp,
} from '../http/schema.ts'
import type { CreditNoteRow, Json, RefundRow } from '../rows.ts'
import { defined } from '../rules/defined.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import type { Shown } from '../shown.ts'
import type { World } from '../world.ts'
import { expanded, expandedCustomer } from './expanded.ts'
import { find } from './lookup.ts'
import { taxRatesParam } from './tax-rates.ts'

const URL = '/v1/credit_notes'

const createFields = {
  invoice: required(text()),
  amount: integer({ min: 0 }),
  lines: list(
    shape({
      type: required(oneOf(['invoice_line_item', 'custom_line_item'] as const)),
      invoice_line_item: text(),
      amount: integer({ min: 0 }),
      quantity: integer({ min: 1 }),
      unit_amount: integer(),
      unit_amount_decimal: decimal,
      description: text(),
      metadata,
      tax_rates: taxRatesParam,
      ...gaps('tax_amounts'),
    }),
  ),
  refund_amount: integer({ min: 0 }),
  credit_amount: integer({ min: 0 }),
  out_of_band_amount: integer({ min: 0 }),
  refunds: list(
    shape({
      refund: text(),
      amount_refunded: integer({ min: 1 }),
      type: playedOf(['refund'] as const, ['payment_record_refund']),
      ...gaps('payment_record_refund'),
    }),
  ),
  reason: oneOf(['duplicate', 'fraudulent', 'order_change', 'product_unsatisfactory'] as const),
  memo: text(),
  metadata,
  effective_at: timestamp,
  email_type: oneOf(['credit_note', 'none'] as const),
  ...gaps('shipping_cost'),
}

/** https://docs.stripe.com/api/credit_notes */
export const creditNoteRoutes = [
  post(URL, shape(createFields), ({ world, params }) => world.render(issue(world, params))),
  // A preview is the deed, taken back.
  get(`${URL}/preview`, shape(createFields), ({ world, params }) =>
    world.rehearse(() => world.render(issue(world, params))),
  ),
  get(
    `${URL}/preview/lines`,
    shape({ ...createFields, ...paging }),
    ({ world, params: { limit, starting_after, ending_before, ...params } }) => {
      const { lines } = world.rehearse(() => issue(world, params)).own
      return pageOf(
        lines,
        { limit, starting_after, ending_before },
        { noun: 'line item', url: `${URL}/preview/lines`, render: plain },
      )
    },
  ),
  get(`${URL}/:id`, nothing, ({ world, path }) =>
    world.render(find(world.creditNotes, 'credit note', path())),
  ),
  get(`${URL}/:id/lines`, shape(paging), ({ world, params, path }) => {
    const note = find(world.creditNotes, 'credit note', path())
    return pageOf(note.own.lines, params, {
      noun: 'line item',
      url: `${URL}/${note.id}/lines`,
      render: plain,
    })
  }),
  post(`${URL}/:id`, shape({ memo: clearable(text()), metadata }), ({ world, params, path }) => {
    const note = find(world.creditNotes, 'credit note', path())
    const next = world.creditNotes.patch(note.id, {
      ...defined({ memo: params.memo }),
      metadata: mergeMetadata(note.metadata ?? {}, params.metadata),
    } as Partial<CreditNoteRow>)
    world.emit('credit_note.updated', next)
    return world.render(next)
  }),
  post(`${URL}/:id/void`, nothing, ({ world, path }) =>
    world.render(voidCreditNote(world, find(world.creditNotes, 'credit note', path()))),
  ),
  get(
    URL,
    shape({ ...paging, created: range, customer: text(), invoice: text(), ...gaps('customer_account') }),
    ({ world, params }) =>
      page(world.creditNotes, params, {
        noun: 'credit note',
        url: URL,
        where:
          params.invoice !== undefined
            ? { index: 'invoice', key: params.invoice }
            : params.customer === undefined
              ? null
              : { index: 'customer', key: params.customer },
        matches: (row) =>
          (params.customer === undefined || row.customer === params.customer) &&
          inRange(row.created, params.created),
        render: (row) => world.render(row),
      }),
  ),
]

function issue(world: World, params: Params<typeof createFields>): CreditNoteRow {
  const invoice = find(world.invoices, 'invoice', params.invoice, 'invoice')
  if (invoice.status !== 'open' && invoice.status !== 'paid') {
    throw invalid(`Credit notes are for open and paid invoices; this one is ${invoice.status}.`, 'invoice')
  }
  if ((params.amount === undefined) === (params.lines === undefined)) {
    throw invalid('You must pass exactly one of `amount` and `lines`.', 'amount')
  }
  return issueCreditNote(world, {
    invoice,
    lines:
      params.lines === undefined
        ? [amountLine(world, params.amount ?? 0)]
        : creditLines(world, invoice, params.lines),
    refundAmount: params.refund_amount ?? 0,
    creditAmount: params.credit_amount ?? 0,
    outOfBandAmount: params.out_of_band_amount ?? null,
    refunds: (params.refunds ?? []).map(({ refund: id, amount_refunded: amount }, i) => {
      const refund: RefundRow = find(world.refunds, 'refund', id ?? '', `refunds[${i}][refund]`)
      return { refund: refund.id, amount: amount ?? refund.amount }
    }),
    reason: params.reason ?? null,
    memo: params.memo ?? null,
    metadata: mergeMetadata({}, params.metadata),
    effectiveAt: params.effective_at ?? null,
  })
}

export const creditNoteExpansions: Expansions = {
  credit_note: {
    customer: (world, row) => expandedCustomer(world, row.customer),
    invoice: (world, row) => world.render(world.invoices.must(row.invoice as string)),
    customer_balance_transaction: (world, row) =>
      expanded(world, world.balanceTransactions.get(row.customer_balance_transaction as string)),
    'discount_amounts.discount': (world, { discount }) =>
      expanded(world, world.discounts.get(discount as string)),
    'refunds.refund': (world, row) => world.render(world.refunds.must(row.refund as string)),
  },
}

export function renderCreditNote(_world: World, { own, ...note }: CreditNoteRow): Shown<Stripe.CreditNote> {
  return { ...note, lines: firstPage(own.lines, `${URL}/${note.id}/lines`, plain) }
}

function plain<T extends object>(line: T): Json {
  return line as Json
}
