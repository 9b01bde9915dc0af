import { type Money, money, subtract } from '@lockstep/core/money'
import { leftToGiveBack, mostRefundable, paymentToRefund, type RefundReason } from '@lockstep/core/money-back'
import type { Clock } from '../clock.ts'
import { newId } from '../ids.ts'
import { newHolder } from '../postgres/presence.ts'
import { type CallDeps, wasReplayed } from '../provider/stripe/call.ts'
import { makeRefund } from '../provider/stripe/refunds.ts'
import { readSettlement } from '../provider/stripe/settlement.ts'
import type { InvoiceRow } from '../store/invoices.ts'
import { nextObservation } from '../store/provider-objects.ts'
import { intendRefund, refuseRefund } from '../store/refunds.ts'
import { addWorkflow } from '../store/workflows.ts'
import { beginMoneyBack, finalInvoice, whileItIsThere } from './begin-money-back.ts'
import type { WorkflowKind } from './journal.ts'
import { type LookDeps, lookAt } from './look.ts'
import { observe } from './observe.ts'
import type { Workflows } from './workflows.ts'

const REFUND = 'refund'

interface RefundInput {
  readonly id: string
  readonly customerId: string
  readonly invoiceId: string
  readonly providerInvoice: string
  readonly payment: string
  readonly minor: string
  readonly currency: string
  readonly reason: RefundReason | null
}

interface PlannedRefund {
  readonly amount: Money
  readonly left: Money
  /** Credited on later invoices of the time that it paid: not given back again. */
  readonly creditedSince: Money
  readonly payment: string
}

/** What would be given back, and what could be afterwards. Without an amount, the most there is. */
export async function planRefund(
  deps: Pick<CallDeps, 'provider'>,
  invoice: InvoiceRow,
  wanted: Money | undefined,
): Promise<PlannedRefund> {
  const settlement = await readSettlement(deps, finalInvoice(invoice))
  const amount = wanted ?? mostRefundable(settlement)
  const { id: payment } = paymentToRefund(settlement, amount)
  const left = subtract(leftToGiveBack(settlement), amount)
  return { amount, left, creditedSince: settlement.creditedSince, payment }
}

interface RefundDeps extends Pick<CallDeps, 'db' | 'provider'> {
  readonly clock: Clock
  readonly workflows: Workflows
}

/** Begins to give back; the workflow's id. Named by the caller, so that a repetition finds it. */
export async function beginRefund(
  deps: RefundDeps,
  invoice: InvoiceRow,
  {
    id,
    amount,
    reason,
  }: { readonly id: string; readonly amount: Money; readonly reason: RefundReason | null },
): Promise<string> {
  const workflow = { id: newId('workflow'), holder: newHolder() }
  await beginMoneyBack(
    deps,
    invoice.id,
    () => planRefund(deps, invoice, amount),
    async (trx, { payment }) => {
      const { customerId } = invoice
      const at = deps.clock.now()
      const { minor, currency } = amount
      const input: RefundInput = {
        ...{ id, customerId, invoiceId: invoice.id, providerInvoice: finalInvoice(invoice) },
        ...{ payment, minor: `${minor}`, currency, reason },
      }
      await addWorkflow(trx, { ...workflow, kind: REFUND, subjectId: id, input, at })
      const row = { id, customerId, invoiceId: invoice.id, workflowId: workflow.id }
      await intendRefund(trx, { ...row, currency, amount: minor, reason, at })
    },
  )
  deps.workflows.begin(workflow.id, workflow.holder)
  return workflow.id
}

/** Gives back, and writes down what came of it. */
export function refundKind(deps: LookDeps): WorkflowKind {
  return {
    kind: REFUND,
    // Whether it was done can always be told, and what is refused ends by itself.
    neverParked: true,
    async run(step, { input }) {
      const { minor, currency, ...wanted } = input as RefundInput
      await step('refund at provider', async (key) => {
        const observation = await nextObservation(deps.db)
        const amount = money(BigInt(minor), currency)
        const { providerInvoice } = wanted
        const withdrawn = whileItIsThere(deps, { providerInvoice, amount, asRefund: true })
        const refund = await makeRefund({ ...deps, withdrawn }, key, { ...wanted, amount })
        // Stripe's memory of an earlier try says how it was then, not how it is.
        if (wasReplayed(refund)) await lookAt(deps, { type: 'refund', id: refund.id })
        else {
          const object = { ...refund, invoice: providerInvoice }
          await observe(deps, { type: 'refund', object, observation, source: 'write' })
        }
        return refund.id
      })
    },
    rolledBack: (trx, { input }) => refuseRefund(trx, (input as RefundInput).id),
  }
}
