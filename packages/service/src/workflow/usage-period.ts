import { isTerminal } from '@lockstep/core/subscription'
import { invoiceOfTurn, USAGE_INVOICE, USAGE_PERIOD, USAGE_TELL } from '../invoice/expect-turn.ts'
import { transaction } from '../postgres/transaction.ts'
import { readInvoiceRow, updateInvoice } from '../store/invoices.ts'
import { providerIdOf } from '../store/mappings.ts'
import type { DueKind } from './due.ts'
import { lookAt } from './look.ts'
import { syncSubscription } from './sync-invoice.ts'

/**
 * A month of usage is over in the middle of a year that is paid for. The provider's period goes on, so that nothing
 * but time says it. What became of the subscription meanwhile may not have been heard of yet: it is looked at, and
 * what is seen closes the month where it ended. Where the look fails, the month stays open and this stays due.
 */
export const usagePeriodEnd: DueKind = {
  kind: USAGE_PERIOD,
  async run(deps, { subjectId }) {
    const ended = await readInvoiceRow(deps.db, invoiceOfTurn(subjectId))
    if (ended?.subscriptionId == null || ended.status !== 'current') return 'nothing to do'
    const providerId = await providerIdOf(deps.db, 'subscription', ended.subscriptionId)
    if (providerId === undefined) return 'nothing to do'
    const { kind } = await lookAt(deps, { type: 'subscription', id: providerId })
    // Overtaken by a newer look: the next round sees what that made of the month.
    return kind === 'stale' ? null : 'looked at'
  },
}

/**
 * A month of usage is about to end: what is not told yet is, so that the provider makes an invoice of it. Asked for once;
 * where the provider does not answer then, the schedule tells.
 */
export const usageTell: DueKind = {
  kind: USAGE_TELL,
  async run(deps, { subjectId }) {
    const ending = await readInvoiceRow(deps.db, invoiceOfTurn(subjectId))
    if (ending?.subscriptionId == null || ending.status !== 'current') return 'nothing to do'
    await deps.requestSync(ending.subscriptionId)
    return 'asked for'
  },
}

/**
 * The provider makes no invoice where nothing is pending when a month ends. What is left of it, if anything, came
 * too late and goes onto the next invoice; the month is closed without one.
 */
export const usageInvoiceMissing: DueKind = {
  kind: USAGE_INVOICE,
  async run(deps, { subjectId }) {
    const { db } = deps
    const ended = await readInvoiceRow(db, subjectId)
    const id = ended?.subscriptionId
    if (id == null || ended?.status !== 'closing' || ended.providerInvoiceId !== null) return 'nothing to do'
    const subscription = await db
      .selectFrom('subscription')
      .select('status')
      .where('id', '=', id)
      .executeTakeFirstOrThrow()
    if (isTerminal(subscription.status)) return 'nothing to do'
    await transaction(db, (trx) => updateInvoice(trx, subjectId, { dirty: true }))
    await syncSubscription(deps, id, { reason: 'usage period' })
    return 'looked for'
  },
}
