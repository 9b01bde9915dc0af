import { assert } from '@lockstep/core/assert'
import type { Instant } from '@lockstep/core/instant'
import { isFrozen, isWorthSending } from '@lockstep/core/invoice'
import { formatQuantity } from '@lockstep/core/quantity'
import { newId } from '../ids.ts'
import type { Db, Trx } from '../postgres/connect.ts'
import { transaction } from '../postgres/transaction.ts'
import { billItem } from '../store/invoice-items.ts'
import { type InvoiceRow, readInvoiceRow, updateInvoice } from '../store/invoices.ts'
import { insertLineItems } from '../store/line-items.ts'
import { sqlTime } from '../store/time.ts'
import { closeGate } from '../usage/gate.ts'
import { addUp, whatHolds } from './add-up.ts'
import { checkInvoices } from './check-limits.ts'
import { describeLine } from './describe.ts'
import { noticeLateUsage } from './late-usage.ts'
import type { LineToBill } from './rate.ts'
import { rateInvoices } from './rate-invoices.ts'

/** Why a period ends without an invoice of the provider's. */
export type Conclusion =
  /** The subscription is over, and what is left costs nothing. */
  | 'nothingOwed'
  /** The subscription never began: its first payment was never made. */
  | 'neverBegan'
  /** The customer was deleted at the provider: there is nobody to bill any more. */
  | 'nobodyToBill'
  /** The provider made none: what is left goes onto the next one. */
  | 'carriedOver'

/** Each in a transaction of its own, one after the other: all of them wait at one gate. Whether any was. */
export async function concludePeriods(
  db: Db,
  invoices: readonly InvoiceRow[],
  why: Conclusion,
  now: Instant,
): Promise<boolean> {
  let ended = false
  for (const invoice of invoices) if (await concludePeriod(db, invoice, why, now)) ended = true
  return ended
}

/**
 * Freezes a period that the provider makes no invoice for. What was used for nothing is written down
 * all the same, so that the customer sees it and it is never asked about again. False if something is
 * owed after all, because usage came meanwhile.
 */
async function concludePeriod(db: Db, invoice: InvoiceRow, why: Conclusion, now: Instant): Promise<boolean> {
  const inAdvance = await addUp(db, [invoice])
  return transaction(db, async (trx) => {
    await closeGate(trx, invoice.customerId)
    const addedUp = await whatHolds(trx, inAdvance)
    const subscription = await trx
      .selectFrom('subscription')
      .selectAll()
      .where('id', '=', invoice.subscriptionId)
      .forUpdate()
      .executeTakeFirstOrThrow()
    const row = await readInvoiceRow(trx, invoice.id)
    if (!row || row.providerInvoiceId !== invoice.providerInvoiceId) return false
    const { lines } = await rateInvoices(trx, [row], () => subscription, { addedUp })
    const left = lines.filter((line) => isWorthSending(line.left))
    if (why === 'nothingOwed' && left.some(({ left: { amount } }) => amount.minor !== 0n)) return false
    const shown = why === 'nothingOwed' ? left : []
    for (const line of shown) await billNothing(trx, line)
    const isVoid = why === 'neverBegan' || why === 'nobodyToBill'
    if (!isFrozen(row.status)) {
      if (!isVoid) await checkInvoices(trx, row.customerId, [row], now, { addedUp })
      await insertLineItems(
        trx,
        shown.map((line, position) => lineRow(row, line, position)),
      )
      const zeros = { subtotal: 0n, total: 0n, amountDue: 0n, amountPaid: 0n, amountRemaining: 0n }
      await updateInvoice(trx, row.id, {
        ...zeros,
        status: isVoid ? 'void' : 'paid',
        finalizedAt: sqlTime(now),
        dirty: false,
        syncPending: false,
        syncProblem: null,
      })
    }
    if (isVoid) await updateInvoice(trx, row.id, { lateUsage: false })
    else await noticeLateUsage(trx, [row.id], { addedUp })
    return true
  })
}

/** What costs nothing and goes onto no invoice is billed in its own period, for 0. */
async function billNothing(trx: Trx, line: LineToBill): Promise<void> {
  const { origin, revision, left, discounted } = line
  assert(left.amount.minor === 0n)
  const quantity = left.quantity === null ? null : formatQuantity(left.quantity)
  await billItem(trx, {
    customerId: origin.customerId,
    originInvoiceId: origin.id,
    lineKey: line.line.key,
    revision,
    amount: 0n,
    quantity,
    discounted: discounted.minor,
    content: {
      amount: '0',
      currency: origin.currency,
      description: describeLine(line),
      periodStart: origin.periodStart,
      periodEnd: origin.periodEnd,
      product: null,
      quantity,
    },
    providerItemId: null,
    providerInvoiceId: null,
  })
}

function lineRow({ id: invoiceId, customerId, currency }: InvoiceRow, line: LineToBill, position: number) {
  const { quantity, amount } = line.left
  return {
    id: newId('line'),
    customerId,
    invoiceId,
    position,
    originInvoiceId: line.origin.id,
    lineKey: line.line.key,
    revision: line.revision,
    description: describeLine(line),
    periodStart: sqlTime(line.line.period.start),
    periodEnd: sqlTime(line.line.period.end),
    quantity: quantity === null ? null : formatQuantity(quantity),
    amount: amount.minor,
    currency,
    derivation: JSON.stringify(line.line.derivation),
    providerLineId: null,
  }
}
