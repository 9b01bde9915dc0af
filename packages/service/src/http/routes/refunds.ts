import * as api from '@lockstep/api/refunds'
import { formatInstant } from '@lockstep/core/instant'
import { money } from '@lockstep/core/money'
import { Problem } from '@lockstep/core/problem'
import type { StuckReason } from '@lockstep/core/stuck-refund'
import type { Db } from '../../postgres/connect.ts'
import { transaction } from '../../postgres/transaction.ts'
import { pageOf } from '../../store/page.ts'
import { listRefunds, type Refund, readRefund } from '../../store/refunds.ts'
import {
  acknowledgeRefund,
  listStuckRefunds,
  readStuckRefund,
  type StuckRefund,
} from '../../store/stuck-refunds.ts'
import type { LookDeps } from '../../workflow/look.ts'
import { beginRefund, planRefund } from '../../workflow/refund.ts'
import { PATIENCE_SECONDS, type Workflows } from '../../workflow/workflows.ts'
import { moneyToApi } from '../money-to-api.ts'
import { amountRequired, readAmount } from '../read-amount.ts'
import { type App, route } from '../route.ts'
import { refusalOf } from './deed-refusal.ts'
import { existingInvoice } from './invoices.ts'

interface RefundParts extends LookDeps {
  readonly workflows: Workflows
}

/** Money back to whoever paid an invoice: previewed, given, listed. */
export function refundRoutes(app: App, parts: RefundParts): void {
  const { db, workflows } = parts

  route(
    app,
    api.createRefund,
  )(async ({ params, query, body, operation }) => {
    const invoice = await existingInvoice(db, params.id)
    const amount = body.amount === undefined ? undefined : readAmount(body.amount, invoice.currency)
    if (query.dryRun) {
      const plan = await planRefund(parts, invoice, amount)
      return {
        status: 200,
        body: {
          invoice: invoice.id,
          amount: moneyToApi(plan.amount),
          left: moneyToApi(plan.left),
          creditedSince: moneyToApi(plan.creditedSince),
        },
      }
    }
    if (amount === undefined) throw amountRequired()
    // Named after the operation: a repetition after a crash finds it, and gives nothing back again.
    const id = operation.replace(/^operation/, 'refund')
    const begun = await readRefund(db, id)
    const workflow =
      begun?.workflowId ?? (await beginRefund(parts, invoice, { id, amount, reason: body.reason ?? null }))
    await workflows.settled(workflow, PATIENCE_SECONDS)
    const refund = await existing(db, id)
    if (refund.status === 'refused') throw await refusalOf(db, workflow)
    return refund.status === 'making'
      ? { status: 202, body: refundToApi(refund) }
      : { status: 201, body: refundToApi(refund) }
  })

  route(
    app,
    api.listRefunds,
  )(async ({ params, query }) => {
    const { id: invoice } = await existingInvoice(db, params.id)
    const page = await pageOf(query.limit, (limit) => listRefunds(db, { ...query, invoice, limit }))
    return { status: 200, body: { ...page, data: page.data.map(refundToApi) } }
  })

  route(
    app,
    api.listStuckRefunds,
  )(async ({ query }) => {
    const at = parts.clock.now()
    const page = await pageOf(query.limit, (limit) => listStuckRefunds(db, { ...query, at, limit }))
    return { status: 200, body: { ...page, data: page.data.map(stuckToApi) } }
  })

  route(
    app,
    api.acknowledgeStuckRefund,
  )(async ({ params: { id }, query, body: { reason, agent = null }, caller }) => {
    if (!(await readRefund(db, id))) throw new Problem('refund_not_found', `There is no refund ${id}.`)
    const at = parts.clock.now()
    const said = { reason, agent, acknowledgedBy: caller.id, at }
    const stuck = query.dryRun
      ? await readStuckRefund(db, id, at)
      : await transaction(db, (trx) => acknowledgeRefund(trx, id, said))
    if (!stuck) throw new Problem('refund_not_stuck', `${id} needs nobody.`)
    return { status: 200, body: stuckToApi(stuck) }
  })
}

function stuckToApi({ agent, ...refund }: StuckRefund) {
  const { acknowledgedFor: reason, acknowledgedBy: by, acknowledgedAt: at } = refund
  return {
    ...refundToApi(refund),
    stuck: { code: refund.stuck, detail: details[refund.stuck] },
    acknowledgement:
      reason === null || by === null || at === null ? null : { reason, agent, by, at: formatInstant(at) },
  }
}

const details: Readonly<Record<StuckReason, string>> = {
  unanswered:
    'The provider has not said whether it makes it. It is tried again by itself; the log says what it answers.',
  pending: 'It has been under way at the bank for more than five days. Ask the provider, by its id there.',
  actionRequired: 'Whoever paid has to say where the money goes: the provider has written to them.',
  failed:
    'The bank sent it back, and the money is on the balance at the provider. Give it back in another way.',
}

async function existing(db: Db, id: string): Promise<Refund> {
  const refund = await readRefund(db, id)
  if (!refund) throw new Error(`There is no refund ${id}.`)
  return refund
}

export function refundToApi({ id, status, reason, failureReason, ...refund }: Refund) {
  return {
    id,
    customer: refund.customerId,
    invoice: refund.invoiceId,
    creditNote: refund.creditNoteId,
    status,
    amount: moneyToApi(money(refund.amount, refund.currency)),
    reason,
    failureReason,
    providerId: refund.providerRefundId,
    createdAt: formatInstant(refund.createdAt),
  }
}
