import { isTerminal } from '@lockstep/core/subscription'
import { USAGE_INVOICE, USAGE_PERIOD } from '../invoice/expect-turn.ts'
import { followPeriods, mustFollow } from '../invoice/follow-periods.ts'
import { rhythmOf } from '../invoice/rhythm.ts'
import { transaction } from '../postgres/transaction.ts'
import { lastPeriodInvoice, readInvoiceRow, updateInvoice } from '../store/invoices.ts'
import { closeGate } from '../usage/gate.ts'
import type { DueKind } from './due.ts'
import { customerTime } from './observe/customer-time.ts'
import { syncSubscription } from './sync-invoice.ts'

/**
 * A month of usage is over in the middle of a year that is paid for. The provider's period goes on, so that nothing
 * but time says it: the month closes, and the next one is current.
 */
export const usagePeriodEnd: DueKind = {
  kind: USAGE_PERIOD,
  async run({ db, clock }, { subjectId, customerId }) {
    const ended = await readInvoiceRow(db, subjectId)
    const id = ended?.subscriptionId
    if (id == null) return 'nothing to do'
    return transaction(db, async (trx) => {
      await closeGate(trx, customerId)
      const subscription = await trx
        .selectFrom('subscription')
        .selectAll()
        .where('id', '=', id)
        .forUpdate()
        .executeTakeFirstOrThrow()
      const [rhythm, last, now] = await Promise.all([
        rhythmOf(trx, subscription),
        lastPeriodInvoice(trx, id),
        customerTime(trx, clock, customerId),
      ])
      const follows = mustFollow(subscription, rhythm, last, now)
      if (!follows) return 'nothing to do'
      await followPeriods(trx, subscription, follows, { known: subscription, isTakenUp: false }, now)
      return 'turned'
    })
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
