import { isFrozen } from '@lockstep/core/invoice'
import type { Period } from '@lockstep/core/period'
import { type CorrectedInvoice, correctedLines } from '@lockstep/core/usage-correction'
import type { Trx } from '../postgres/connect.ts'
import { type InvoiceRow, invoicesOfTime } from '../store/invoices.ts'
import { noticeLateUsage } from './late-usage.ts'
import { ratedColumns } from './rate.ts'
import { rateInvoices } from './rate-invoices.ts'

/**
 * What a change of usage that was taken in makes of the invoices of its time. Open ones are marked to be
 * synchronised; of a final one the difference goes onto the next invoice. Part of a transaction that
 * closed the gate.
 */
export async function rateAgain<T>(
  trx: Trx,
  { customerId, period }: { readonly customerId: string; readonly period: Period },
  change: () => Promise<T>,
): Promise<{ readonly value: T; readonly effect: CorrectedInvoice[] }> {
  const invoices = await invoicesOfTime(trx, customerId, period)
  const before = await linesOf(trx, invoices)
  const value = await change()
  const after = await linesOf(trx, invoices)
  await noticeLateUsage(
    trx,
    invoices.map(({ id }) => id),
  )
  const effect = invoices.map(({ id, currency, status }) => ({
    invoice: id,
    currency,
    isFinal: isFrozen(status),
    lines: correctedLines(before.get(id) ?? [], after.get(id) ?? []),
  }))
  return { value, effect }
}

async function linesOf(trx: Trx, invoices: readonly InvoiceRow[]) {
  // Usage of a time without a period is corrected as well.
  if (invoices.length === 0) return new Map<string, never[]>()
  const ids = [...new Set(invoices.flatMap(({ subscriptionId }) => subscriptionId ?? []))]
  const subscriptions = await trx
    .selectFrom('subscription')
    .select(['id', ...ratedColumns])
    .where('id', 'in', ids)
    .execute()
  const { lines } = await rateInvoices(trx, invoices, ({ id, subscriptionId }) => {
    const subscription = subscriptions.find((one) => one.id === subscriptionId)
    if (!subscription) throw new Error(`${id} belongs to no subscription.`)
    return subscription
  })
  return Map.groupBy(
    lines.map(({ origin, line }) => ({ ...line, invoice: origin.id })),
    ({ invoice }) => invoice,
  )
}
