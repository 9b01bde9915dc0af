import type { Instant } from '@lockstep/core/instant'
import { reached, spentOf } from '@lockstep/core/spend-limit'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Db, Trx } from '../postgres/connect.ts'
import { transaction } from '../postgres/transaction.ts'
import type { InvoiceRow } from '../store/invoices.ts'
import { insertAlerts } from '../store/spend-alerts.ts'
import { customersToCheck, holdingLimits } from '../store/spend-limits.ts'
import { closeGate } from '../usage/gate.ts'
import { customerTime } from '../workflow/observe/customer-time.ts'
import { ratedColumns } from './rate.ts'
import { spendingOf } from './spending.ts'

export interface CheckDeps {
  readonly db: Db
  readonly clock: Clock
  readonly log: Log
}

/**
 * Holds what runs against the limits of its customers, wherever usage or a limit is another since the last time.
 * Returns how many customers there were. One that fails stays marked for the next round, and keeps nobody waiting.
 */
export async function checkLimits(
  { db, clock, log }: CheckDeps,
  { testClock = null }: { readonly testClock?: string | null } = {},
): Promise<number> {
  const customers = await customersToCheck(db, testClock)
  for (const customerId of customers) {
    try {
      await checkCustomer(db, customerId, await customerTime(db, clock, customerId))
    } catch (err) {
      log.warn({ err, customer: customerId }, 'Usage could not be held against its limits yet.')
    }
  }
  return customers.length
}

/**
 * With the gate closed, as a sync takes its picture: an event is either in what is held against the limits, or
 * comes after and takes the mark away again.
 */
async function checkCustomer(db: Db, customerId: string, now: Instant): Promise<void> {
  await transaction(db, async (trx) => {
    await closeGate(trx, customerId)
    // Locked before the limits are read: whoever sets one takes the mark away again after us.
    const invoices = await trx
      .selectFrom('invoice')
      .selectAll()
      .where('customerId', '=', customerId)
      .where('planVersionId', 'is not', null)
      .where('finalizedAt', 'is', null)
      .where('limitsChecked', '=', false)
      .orderBy('id')
      .forUpdate()
      .execute()
    await checkInvoices(trx, customerId, invoices, now)
  })
}

/**
 * Writes down what a customer's invoices have reached, and that they were looked at. What was told of is not told
 * again, so it may look more often than it must: the last look before an invoice is final never trusts the mark.
 * Part of a transaction that closed the gate.
 */
export async function checkInvoices(
  trx: Trx,
  customerId: string,
  some: readonly InvoiceRow[],
  now: Instant,
): Promise<void> {
  const invoices = some.filter(({ planVersionId }) => planVersionId !== null)
  if (invoices.length === 0) return
  const limits = await holdingLimits(trx, customerId)
  if (limits.length === 0) return
  const spending = await spendingOf(trx, invoices, await subscriptionsOf(trx, invoices))
  for (const { id: invoiceId } of invoices) {
    const come = spending.get(invoiceId)
    if (!come) continue
    const alerts = limits.flatMap((limit) => {
      const { id: limitId, owner, meter } = limit
      const spent = spentOf(limit, come) ?? 0n
      return reached(limit, come).map(({ kind, at }) => ({
        ...{ customerId, limitId, invoiceId, owner, meter, kind, at, spent, reachedAt: now },
      }))
    })
    await insertAlerts(trx, alerts)
  }
  await trx
    .updateTable('invoice')
    .set({ limitsChecked: true })
    .where(
      'id',
      'in',
      invoices.map(({ id }) => id),
    )
    .execute()
}

async function subscriptionsOf(trx: Trx, invoices: readonly InvoiceRow[]) {
  const rows = await trx
    .selectFrom('subscription')
    .select(['id', ...ratedColumns])
    .where(
      'id',
      'in',
      invoices.flatMap(({ subscriptionId }) => subscriptionId ?? []),
    )
    .execute()
  return ({ id, subscriptionId }: InvoiceRow) => {
    const subscription = rows.find((row) => row.id === subscriptionId)
    if (!subscription) throw new Error(`${id} belongs to no subscription.`)
    return subscription
  }
}
