import * as api from '@lockstep/api/credit-notes'
import { formatInstant } from '@lockstep/core/instant'
import { type Currency, money } from '@lockstep/core/money'
import type { Db } from '../../postgres/connect.ts'
import { type CreditNote, listCreditNotes, readCreditNote } from '../../store/credit-notes.ts'
import { pageOf } from '../../store/page.ts'
import { beginCreditNote, planCreditNote } from '../../workflow/credit-note.ts'
import type { LookDeps } from '../../workflow/look.ts'
import { PATIENCE_SECONDS, type Workflows } from '../../workflow/workflows.ts'
import { moneyToApi } from '../money-to-api.ts'
import { amountRequired, readAmount } from '../read-amount.ts'
import { type App, route } from '../route.ts'
import { refusalOf } from './deed-refusal.ts'
import { existingInvoice } from './invoices.ts'

interface CreditNoteParts extends LookDeps {
  readonly workflows: Workflows
}

/** What is taken off a final invoice: previewed, made, listed. */
export function creditNoteRoutes(app: App, parts: CreditNoteParts): void {
  const { db, workflows } = parts

  route(
    app,
    api.createCreditNote,
  )(async ({ params, query, body, operation }) => {
    const invoice = await existingInvoice(db, params.id)
    const amount = body.amount === undefined ? undefined : readAmount(body.amount, invoice.currency)
    const wanted = { amount, paidPart: body.paidPart, reason: body.reason ?? null }
    if (query.dryRun) {
      const { preview, left } = await planCreditNote(parts, invoice, wanted)
      const { total, prePayment, refunded, credited, outOfBand } = preview
      return {
        status: 200,
        body: {
          invoice: invoice.id,
          total: moneyToApi(total),
          prePayment: moneyToApi(prePayment),
          refunded: moneyToApi(refunded),
          credited: moneyToApi(credited),
          outOfBand: moneyToApi(outOfBand),
          left: moneyToApi(left),
        },
      }
    }
    if (amount === undefined) throw amountRequired()
    // Named after the operation: a repetition after a crash finds it, and credits nothing again.
    const id = operation.replace(/^operation/, 'credit_note')
    const begun = await readCreditNote(db, id)
    const workflow = begun?.workflowId ?? (await beginCreditNote(parts, invoice, { ...wanted, id }))
    await workflows.settled(workflow, PATIENCE_SECONDS)
    const note = await existing(db, id)
    if (note.status === 'refused') throw await refusalOf(db, workflow)
    return note.status === 'making'
      ? { status: 202, body: creditNoteToApi(note) }
      : { status: 201, body: creditNoteToApi(note) }
  })

  route(
    app,
    api.listCreditNotes,
  )(async ({ params, query }) => {
    const { id: invoice } = await existingInvoice(db, params.id)
    const page = await pageOf(query.limit, (limit) => listCreditNotes(db, { ...query, invoice, limit }))
    return { status: 200, body: { ...page, data: page.data.map(creditNoteToApi) } }
  })
}

async function existing(db: Db, id: string): Promise<CreditNote> {
  const note = await readCreditNote(db, id)
  if (!note) throw new Error(`There is no credit note ${id}.`)
  return note
}

export function creditNoteToApi(note: CreditNote) {
  const { id, status, reason, number, pdf } = note
  const amount = amountsIn(note.currency)
  return {
    id,
    customer: note.customerId,
    invoice: note.invoiceId,
    status,
    total: amount(note.total),
    prePayment: amount(note.prePayment),
    refunded: amount(note.refunded),
    credited: amount(note.credited),
    outOfBand: amount(note.outOfBand),
    reason,
    number,
    pdf,
    providerId: note.providerCreditNoteId,
    createdAt: formatInstant(note.createdAt),
  }
}

const amountsIn = (currency: Currency) => (minor: bigint) => moneyToApi(money(minor, currency))
