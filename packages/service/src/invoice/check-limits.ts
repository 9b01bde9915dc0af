import type { Instant } from '@lockstep/core/instant'
import { reached, spentOf } from '@lockstep/core/spend-limit'
import { sql } from 'kysely'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Db, Trx } from '../postgres/connect.ts'
import { snapshot, transaction } from '../postgres/transaction.ts'
import type { InvoiceRow } from '../store/invoices.ts'
import { insertAlerts, type SpendAlert } from '../store/spend-alerts.ts'
import { customersToCheck, holdingLimits, type SpendLimitRecord } from '../store/spend-limits.ts'
import { usageMark } from '../store/usage-mark.ts'
import { closeGate } from '../usage/gate.ts'
import { customerTime } from '../workflow/observe/customer-time.ts'
import { periodOf, ratedColumns } from './rate.ts'
import type { RatingOptions } from './rate-invoices.ts'
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
 * Rates with the gate open, from a snapshot. Then, with the gate closed, the mark is put on if usage, limits and
 * invoices are the same still: an event is either in what was held against the limits, or the mark stays off and the
 * next round looks again. What was reached is told in any case. False if it was to be alone, and another process is at
 * a look.
 */
async function checkCustomer(
  db: Db,
  customerId: string,
  { now, alone }: { readonly now: Instant; readonly alone: boolean },
): Promise<boolean> {
  const look = await snapshot(db, async (trx) =>
    alone && !(await isAlone(trx)) ? undefined : lookAt(trx, customerId, now),
  )
  if (!look) return false
  await transaction(db, async (trx) => {
    await closeGate(trx, customerId)
    const here = await unchecked(trx, customerId).forUpdate().execute()
    const ids = new Set(here.map(({ id }) => id))
    // One that froze meanwhile was looked at by whoever froze it.
    await insertAlerts(
      trx,
      look.alerts.filter(({ invoiceId }) => ids.has(invoiceId)),
    )
    if ((await standing(trx, customerId, here)) === look.standing) await markChecked(trx, here)
  })
  return true
}

/** Of the advisory lock that whoever looks holds, as the gate's number is of the gate. */
export const LOOK = 470_166

async function isAlone(trx: Trx): Promise<boolean> {
  const { rows } = await sql<{ taken: boolean }>`
    select pg_try_advisory_xact_lock(${LOOK}::int4, 0) as taken`.execute(trx)
  return rows[0]?.taken === true
}

/** What a customer's invoices have reached, and what that was seen of. */
async function lookAt(trx: Trx, customerId: string, now: Instant) {
  const invoices = await unchecked(trx, customerId).execute()
  const limits = await holdingLimits(trx, customerId)
  const alerts = await reachedBy(trx, { customerId, invoices, limits, now })
  return { alerts, standing: await standing(trx, customerId, invoices) }
}

/** With a version that is another as soon as anything of an invoice is. */
const unchecked = (trx: Trx, customerId: string) =>
  trx
    .selectFrom('invoice')
    .selectAll()
    .select(sql<string>`xmin::text`.as('version'))
    .where('customerId', '=', customerId)
    .where('planVersionId', 'is not', null)
    .where('finalizedAt', 'is', null)
    .where('limitsChecked', '=', false)
    .orderBy('id')

/** A text that is another one as soon as anything is by which a look could come out otherwise. */
async function standing(
  trx: Trx,
  customerId: string,
  invoices: readonly (InvoiceRow & { readonly version: string })[],
): Promise<string> {
  const limits = await holdingLimits(trx, customerId)
  return JSON.stringify([
    invoices.map(({ id, version }) => [id, version]),
    limits.map(({ id }) => id),
    await usageMark(trx, customerId, invoices.map(periodOf)),
  ])
}

/**
 * Writes down what a customer's invoices have reached before they are final, whatever their marks say: what was told
 * of is not told again. Part of a transaction that closed the gate.
 */
export async function checkInvoices(
  trx: Trx,
  customerId: string,
  some: readonly InvoiceRow[],
  now: Instant,
  options: RatingOptions,
): Promise<void> {
  const limits = await holdingLimits(trx, customerId)
  const invoices = some.filter(({ planVersionId }) => planVersionId !== null)
  if (limits.length === 0 || invoices.length === 0) return
  await insertAlerts(trx, await reachedBy(trx, { customerId, invoices, limits, now }, options))
  await markChecked(trx, invoices)
}

interface Seen {
  readonly customerId: string
  readonly invoices: readonly InvoiceRow[]
  readonly limits: readonly SpendLimitRecord[]
  readonly now: Instant
}

async function reachedBy(
  trx: Trx,
  { customerId, invoices, limits, now }: Seen,
  options: RatingOptions = {},
): Promise<SpendAlert[]> {
  if (limits.length === 0 || invoices.length === 0) return []
  const spending = await spendingOf(trx, invoices, await subscriptionsOf(trx, invoices), options)
  return invoices.flatMap(({ id: invoiceId }) => {
    const come = spending.get(invoiceId)
    if (!come) return []
    return limits.flatMap((limit) => {
      const { id: limitId, owner, meter } = limit
      const spent = spentOf(limit, come) ?? 0n
      return reached(limit, come).map(({ kind, at }) => ({
        ...{ customerId, limitId, invoiceId, owner, meter, kind, at, spent, reachedAt: now },
      }))
    })
  })
}

async function markChecked(trx: Trx, invoices: readonly InvoiceRow[]): Promise<void> {
  if (invoices.length === 0) return
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
