import * as api from '@lockstep/api/adjustments'
import type { AdjustmentKind } from '@lockstep/core/adjustment'
import { formatInstant } from '@lockstep/core/instant'
import type { Money } from '@lockstep/core/money'
import { Problem } from '@lockstep/core/problem'
import type { Clock } from '../../clock.ts'
import {
  type AdjustmentEffect,
  adjustInvoice,
  previewAdjustment,
  previewWithdrawal,
  takeBackAdjustment,
} from '../../invoice/adjust.ts'
import type { Db } from '../../postgres/connect.ts'
import { type AdjustmentRecord, listAdjustments, readAdjustment } from '../../store/adjustments.ts'
import { pageOf } from '../../store/page.ts'
import { customerTime } from '../../workflow/observe/customer-time.ts'
import { moneyToApi } from '../money-to-api.ts'
import { amountRequired, readAmount } from '../read-amount.ts'
import { type App, route } from '../route.ts'
import { existingInvoice } from './invoices.ts'

/** What support adds to an invoice before it is final: previewed, made, listed, taken back. */
export function adjustmentRoutes(app: App, { db, clock }: { readonly db: Db; readonly clock: Clock }): void {
  route(
    app,
    api.createAdjustment,
  )(async ({ params, query, body, operation, caller }) => {
    const { id: invoice, currency, customerId } = await existingInvoice(db, params.id)
    const { kind, description, reason, agent = null, supersedes = null } = body
    const much = amountOf(kind, body.amount, currency)
    const wanted = { kind, much, description, agent, supersedes }
    if (query.dryRun) {
      return { status: 200, body: effectToApi(invoice, await previewAdjustment(db, invoice, wanted)) }
    }
    // Named after the operation: a repetition after a crash finds it, and adds nothing again.
    const id = operation.replace(/^operation/, 'adjustment')
    if ((await readAdjustment(db, id)) === undefined) {
      const at = await customerTime(db, clock, customerId)
      await adjustInvoice(db, invoice, { ...wanted, id }, { by: caller.id, at, reason })
    }
    return { status: 201, body: adjustmentToApi(await existing(db, id)) }
  })

  route(
    app,
    api.listAdjustments,
  )(async ({ params, query }) => {
    const { id: invoice } = await existingInvoice(db, params.id)
    const page = await pageOf(query.limit, (limit) => listAdjustments(db, { ...query, invoice, limit }))
    return { status: 200, body: { ...page, data: page.data.map(adjustmentToApi) } }
  })

  route(
    app,
    api.withdrawAdjustment,
  )(async ({ params, query, body, caller }) => {
    const { id: invoice, customerId } = await existingInvoice(db, params.id)
    if (query.dryRun) {
      return {
        status: 200,
        body: effectToApi(invoice, await previewWithdrawal(db, invoice, params.adjustment)),
      }
    }
    const deed = { by: caller.id, at: await customerTime(db, clock, customerId), reason: body.reason }
    await takeBackAdjustment(db, invoice, params.adjustment, deed)
    return { status: 200, body: adjustmentToApi(await existing(db, params.adjustment)) }
  })
}

/** A note has none, the others need one. */
function amountOf(kind: AdjustmentKind, text: string | undefined, currency: string): Money | null {
  if (kind !== 'note') {
    if (text === undefined) throw amountRequired()
    return readAmount(text, currency)
  }
  if (text === undefined) return null
  const faults = [{ pointer: '#/amount', code: 'not_allowed', detail: 'A note has no amount.' }]
  throw new Problem('invalid_request', 'The request has a fault.', { faults })
}

async function existing(db: Db, id: string): Promise<AdjustmentRecord> {
  const adjustment = await readAdjustment(db, id)
  if (!adjustment) throw new Error(`There is no adjustment ${id}.`)
  return adjustment
}

function effectToApi(invoice: string, { before, after, toBalance }: AdjustmentEffect) {
  return {
    invoice,
    before: moneyToApi(before),
    after: moneyToApi(after),
    toBalance: moneyToApi(toBalance),
  }
}

function adjustmentToApi(adjustment: AdjustmentRecord) {
  const { id, kind, description, reason, madeBy, agent, supersedes } = adjustment
  const { withdrawnBy: by, withdrawnAt: at, withdrawalReason } = adjustment
  return {
    ...{ id, kind, description, reason, madeBy, agent, supersedes },
    invoice: adjustment.invoiceId,
    amount: moneyToApi(adjustment.amount),
    madeAt: formatInstant(adjustment.madeAt),
    withdrawn:
      by === null || at === null || withdrawalReason === null
        ? null
        : { by, at: formatInstant(at), reason: withdrawalReason },
  }
}
