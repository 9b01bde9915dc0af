import { type Money, money, subtract, zero } from '@lockstep/core/money'
import {
  type CreditNoteReason,
  creditSplit,
  leftToCredit,
  mostCreditable,
  refuseToGiveBackMore,
  type WayBack,
} from '@lockstep/core/money-back'
import type { Clock } from '../clock.ts'
import { newId } from '../ids.ts'
import { newHolder } from '../postgres/presence.ts'
import { type CallDeps, wasReplayed } from '../provider/stripe/call.ts'
import {
  type CreditNoteToMake,
  type IntendedCreditNote,
  makeCreditNote,
  previewCreditNote,
} from '../provider/stripe/credit-notes.ts'
import { readSettlement } from '../provider/stripe/settlement.ts'
import { type ObservedCreditNote, toCreditNote } from '../provider/stripe/to-credit-note.ts'
import { intendCreditNote, refuseCreditNote } from '../store/credit-notes.ts'
import type { InvoiceRow } from '../store/invoices.ts'
import { nextObservation } from '../store/provider-objects.ts'
import { addWorkflow } from '../store/workflows.ts'
import { beginMoneyBack, finalInvoice, whileItIsThere } from './begin-money-back.ts'
import type { WorkflowKind } from './journal.ts'
import { type LookDeps, lookAt } from './look.ts'
import { observe } from './observe.ts'
import type { Workflows } from './workflows.ts'

const CREDIT_NOTE = 'credit-note'

export interface WantedCreditNote {
  /** Without one, all there is; the deed always names it. */
  readonly amount: Money | undefined
  readonly paidPart: WayBack
  readonly reason: CreditNoteReason | null
}

interface PlannedCreditNote {
  readonly toMake: CreditNoteToMake
  /** As Stripe says it would be. */
  readonly preview: ObservedCreditNote
  /** What could still be credited afterwards. */
  readonly left: Money
}

/** What it would do, by Stripe's own preview, after our own rules have looked at it. */
export async function planCreditNote(
  deps: Pick<CallDeps, 'provider'>,
  invoice: InvoiceRow,
  { amount, paidPart, reason }: WantedCreditNote,
): Promise<PlannedCreditNote> {
  const providerInvoice = finalInvoice(invoice)
  const settlement = await readSettlement(deps, providerInvoice)
  const most = mostCreditable(settlement)
  // Where nothing is left, it is refused with the reason.
  const total = amount ?? (most.minor > 0n ? most : leftToCredit(settlement))
  const { postPayment } = creditSplit(settlement, total)
  refuseToGiveBackMore(settlement, postPayment, paidPart === 'refund')
  const toMake = { providerInvoice, total, postPayment, paidPart, reason }
  return { toMake, preview: await previewCreditNote(deps, toMake), left: subtract(most, total) }
}

interface CreditNoteDeps extends Pick<CallDeps, 'db' | 'provider'> {
  readonly clock: Clock
  readonly workflows: Workflows
}

interface CreditNoteInput {
  readonly id: string
  readonly customerId: string
  readonly invoiceId: string
  readonly providerInvoice: string
  readonly total: string
  readonly postPayment: string
  readonly currency: string
  readonly paidPart: WayBack
  readonly reason: CreditNoteReason | null
}

/** Begins to make it; the workflow's id. Named by the caller, so that a repetition finds it. */
export async function beginCreditNote(
  deps: CreditNoteDeps,
  invoice: InvoiceRow,
  { id, ...wanted }: WantedCreditNote & { readonly id: string },
): Promise<string> {
  const workflow = { id: newId('workflow'), holder: newHolder() }
  await beginMoneyBack(
    deps,
    invoice.id,
    () => planCreditNote(deps, invoice, wanted),
    async (trx, { toMake: { total, postPayment, ...terms } }) => {
      const { customerId } = invoice
      const { currency } = total
      const at = deps.clock.now()
      const input: CreditNoteInput = {
        ...{ ...terms, id, customerId, invoiceId: invoice.id, currency },
        ...{ total: `${total.minor}`, postPayment: `${postPayment.minor}` },
      }
      await addWorkflow(trx, { ...workflow, kind: CREDIT_NOTE, subjectId: id, input, at })
      await intendCreditNote(trx, {
        ...{ id, customerId, invoiceId: invoice.id, workflowId: workflow.id, currency, at },
        total: total.minor,
        prePayment: subtract(total, postPayment).minor,
        ...wayOf(postPayment, terms.paidPart),
        reason: terms.reason,
      })
    },
  )
  deps.workflows.begin(workflow.id, workflow.holder)
  return workflow.id
}

/** Of what was paid, what goes back in which way. */
export function wayOf(amount: Money, way: WayBack) {
  const of = (one: WayBack) => (one === way ? amount : zero(amount.currency)).minor
  return { refunded: of('refund'), credited: of('balance'), outOfBand: of('outOfBand') }
}

/** Makes it, and looks at what it changed: the refund it made, and the invoice that may be paid by it. */
export function creditNoteKind(deps: LookDeps): WorkflowKind {
  return {
    kind: CREDIT_NOTE,
    // Whether it was done can always be told, and what is refused ends by itself.
    neverParked: true,
    async run(step, { input }) {
      const { total, postPayment, currency, ...wanted } = input as CreditNoteInput
      const refunds = await step('credit note at provider', (key) =>
        tellCreditNote(deps, key, {
          ...wanted,
          total: money(BigInt(total), currency),
          postPayment: money(BigInt(postPayment), currency),
        }),
      )
      await step('look at what it changed', () => lookAtChanged(deps, wanted.providerInvoice, refunds))
    },
    rolledBack: (trx, { input }) => refuseCreditNote(trx, (input as CreditNoteInput).id),
  }
}

/** Makes what was intended, and writes it down; the refunds that belong to it. */
export async function tellCreditNote(
  deps: LookDeps,
  operation: string,
  wanted: IntendedCreditNote,
): Promise<readonly string[]> {
  const observation = await nextObservation(deps.db)
  const { providerInvoice, postPayment: amount, paidPart } = wanted
  const withdrawn = whileItIsThere(deps, { providerInvoice, amount, asRefund: paidPart === 'refund' })
  const object = await makeCreditNote({ ...deps, withdrawn }, operation, wanted)
  // Stripe's memory of an earlier try says how it was then, not how it is.
  if (wasReplayed(object)) await lookAt(deps, { type: 'credit_note', id: object.id })
  else await observe(deps, { type: 'credit_note', object, observation, source: 'write' })
  return toCreditNote(object).refunds
}

/** The refunds that a credit note made, and the invoice that it may have paid. */
export async function lookAtChanged(
  deps: LookDeps,
  providerInvoice: string,
  refunds: readonly string[],
): Promise<void> {
  for (const id of refunds) await lookAt(deps, { type: 'refund', id })
  await lookAt(deps, { type: 'invoice', id: providerInvoice })
}
