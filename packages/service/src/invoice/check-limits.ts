import type { Instant } from '@lockstep/core/instant'
import { reached, spentOf } from '@lockstep/core/spend-limit'
import { sql } from 'kysely'
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
 *
 * Whatever the number of processes, one looks at a time: whoever finds another at it leaves the rest of the round to
 * that one. What a test clock turned to is looked at in any case, since its turn ends with it.
 */
export async function checkLimits(
  { db, clock, log }: CheckDeps,
  { testClock = null }: { readonly testClock?: string | null } = {},
): Promise<number> {
  const customers = await customersToCheck(db, testClock)
  for (const customerId of customers) {
    try {
      const now = await customerTime(db, clock, customerId)
      const isOurs = await checkCustomer(db, customerId, { now, alone: testClock === null })
      if (!isOurs) break
    } catch (err) {
      log.warn({ err, customer: customerId }, 'Usage could not be held against its limits yet.')
    }
  }
  return customers.length
}

/**
 * With the gate closed, as a sync takes its picture: an event is either in what is held against the limits, or
 * comes after and takes the mark away again. False if it was to be alone, and another process is at a look.
 */
async function checkCustomer(
  db: Db,
  customerId: string,
  { now, alone }: { readonly now: Instant; readonly alone: boolean },
): Promise<boolean> {
  return transaction(db, async (trx) => {
    // Before the gate, which nobody may wait at with a row in hand: nobody waits for this lock, nor is it a row.
    if (alone && !(await isAlone(trx))) return false
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
    return true
  })
}

/** Of the advisory lock that whoever looks holds, as the gate's number is of the gate. */
export const LOOK = 470_166

async function isAlone(trx: Trx): Promise<boolean> {
  const { rows } = await sql<{ taken: boolean }>`
    select pg_try_advisory_xact_lock(${LOOK}::int4, 0) as taken`.execute(trx)
  return rows[0]?.taken === true
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
