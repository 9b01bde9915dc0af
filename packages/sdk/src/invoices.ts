import * as adjustments from '@lockstep/api/adjustments'
import * as creditNotes from '@lockstep/api/credit-notes'
import type { Answer, BodyInput, QueryInput } from '@lockstep/api/define-route'
import * as invoices from '@lockstep/api/invoices'
import * as refunds from '@lockstep/api/refunds'
import type { Asking, ItemOf, NamedAmount } from './asking.ts'
import type { CallOptions } from './call.ts'
import { listOf } from './list.ts'

/** What is owed, how it came about, and what was added or given back. */
export function invoiceCalls({ ask, list }: Asking) {
  return {
    read: (id: string, query?: QueryInput<typeof invoices.readInvoice>) =>
      ask(invoices.readInvoice, { params: { id }, ...(query && { query }) }),
    list: (query?: QueryInput<typeof invoices.listInvoices>) => list(invoices.listInvoices, query),
    /** How a line's amount came about, with the first of its events. */
    explain: (id: string, line: string, query: QueryInput<typeof invoices.explainLine> = {}) =>
      ask(invoices.explainLine, { params: { id, line }, query }),
    /** The events that a line's quantity is made of, oldest first. */
    lineEvents: (id: string, line: string) =>
      listOf(async (after) => {
        const query = { limit: 100, after }
        const { events } = await ask(invoices.explainLine, { params: { id, line }, query })
        return events ?? { data: [], hasMore: false, nextCursor: null }
      }),
    /** How every amount of a final one came about, as a PDF. */
    annex: (id: string) => ask(invoices.downloadAnnex, { params: { id } }),
    sync: (id: string, query: QueryInput<typeof invoices.syncInvoice> = {}) =>
      ask(invoices.syncInvoice, { params: { id }, query }),
    /** Says what a credit, charge or note would make of an invoice that is not final. */
    previewAdjustment: async (id: string, body: BodyInput<typeof adjustments.createAdjustment>) =>
      (await ask(adjustments.createAdjustment, { params: { id }, body })) as AdjustmentEffect,
    /** Adds it: on the invoice at once, at the provider with the next sync. */
    adjust: async (id: string, body: BodyInput<typeof adjustments.createAdjustment>, more?: CallOptions) =>
      (await ask(
        adjustments.createAdjustment,
        { params: { id }, query: { dryRun: false }, body },
        more,
      )) as Adjustment,
    /** Who added what and why, also what was taken back. */
    adjustments: (id: string) => {
      const pages = (after: string | undefined) =>
        ask(adjustments.listAdjustments, { params: { id }, query: { after } })
      return listOf(pages)
    },
    /** Takes an adjustment back. */
    withdrawAdjustment: async (id: string, adjustment: string, reason: string, more?: CallOptions) =>
      (await ask(
        adjustments.withdrawAdjustment,
        { params: { id, adjustment }, query: { dryRun: false }, body: { reason } },
        more,
      )) as Adjustment,
    /** Says what would be given back; without an amount, the most there is. */
    previewRefund: async (id: string, body: BodyInput<typeof refunds.createRefund> = {}) =>
      (await ask(refunds.createRefund, { params: { id }, body })) as RefundPreview,
    /** Gives back what was paid. */
    refund: async (id: string, body: NamedAmount<typeof refunds.createRefund>, more?: CallOptions) =>
      (await ask(refunds.createRefund, { params: { id }, query: { dryRun: false }, body }, more)) as Refund,
    refunds: (id: string) => {
      const pages = (after: string | undefined) =>
        ask(refunds.listRefunds, { params: { id }, query: { after } })
      return listOf(pages)
    },
    /** Says what a credit note would do; without an amount, one of all there is. */
    previewCreditNote: async (id: string, body: BodyInput<typeof creditNotes.createCreditNote> = {}) =>
      (await ask(creditNotes.createCreditNote, { params: { id }, body })) as CreditNotePreview,
    /** Takes an amount off a final invoice; what was paid of it goes back as `paidPart` says. */
    credit: async (id: string, body: NamedAmount<typeof creditNotes.createCreditNote>, more?: CallOptions) =>
      (await ask(
        creditNotes.createCreditNote,
        { params: { id }, query: { dryRun: false }, body },
        more,
      )) as CreditNote,
    creditNotes: (id: string) => {
      const pages = (after: string | undefined) =>
        ask(creditNotes.listCreditNotes, { params: { id }, query: { after } })
      return listOf(pages)
    },
  }
}

export type MeasuredEvent = NonNullable<Answer<typeof invoices.explainLine>['events']>['data'][number]
export type SyncPlan = Answer<typeof invoices.syncInvoice>
export type Adjustment = ItemOf<typeof adjustments.listAdjustments>
export type AdjustmentEffect = Exclude<Answer<typeof adjustments.createAdjustment>, Adjustment>
export type Refund = ItemOf<typeof refunds.listRefunds>
export type RefundPreview = Exclude<Answer<typeof refunds.createRefund>, Refund>
export type CreditNote = ItemOf<typeof creditNotes.listCreditNotes>
export type CreditNotePreview = Exclude<Answer<typeof creditNotes.createCreditNote>, CreditNote>
export type Invoice = ItemOf<typeof invoices.listInvoices>
export type InvoiceWithLines = Answer<typeof invoices.readInvoice>
export type InvoiceLine = InvoiceWithLines['lines'][number]
export type Money = InvoiceLine['amount']
