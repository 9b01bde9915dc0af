import { isFrozen } from '@lockstep/core/invoice'
import type { Period } from '@lockstep/core/period'
import { type CorrectedInvoice, correctedLines } from '@lockstep/core/usage-correction'
import type { Trx } from '../postgres/connect.ts'
import { type InvoiceRow, invoicesOfTime } from '../store/invoices.ts'
import { type AddedUp, except, whatHolds } from './add-up.ts'
import { noticeLateUsage } from './late-usage.ts'
import { ratedColumns } from './rate.ts'
import { type RatingOptions, rateInvoices } from './rate-invoices.ts'

/** Whose usage of what is changed, and the time whose invoices it may change. */
export interface Corrected {
  readonly customerId: string
  readonly meterKey: string
  readonly period: Period
}

/**
 * What a change of usage that was taken in makes of the invoices of its time. Open ones are marked to be
 * synchronised; of a final one the difference goes onto the next invoice. Part of a transaction that
 * closed the gate. How they stood is rated from what was added up before, where that still holds; how they stand can
 * only be added up behind the gate, since what came meanwhile would be taken for what the change did.
 */
export async function rateAgain<T>(
  trx: Trx,
  { customerId, meterKey, period }: Corrected,
  change: () => Promise<T>,
  inAdvance: AddedUp | undefined,
): Promise<{ readonly value: T; readonly effect: CorrectedInvoice[] }> {
  const invoices = await invoicesOfTime(trx, customerId, period)
  const addedUp = await whatHolds(trx, inAdvance)
  const before = await linesOf(trx, invoices, { addedUp })
  const value = await change()
  const others = except(addedUp, meterKey)
  const after = await linesOf(trx, invoices, { addedUp: others })
  await noticeLateUsage(
    trx,
    invoices.map(({ id }) => id),
    { addedUp: others },
  )
  const effect = invoices.map(({ id, currency, status }) => ({
    invoice: id,
    currency,
    isFinal: isFrozen(status),
    lines: correctedLines(before.get(id) ?? [], after.get(id) ?? []),
  }))
  return { value, effect }
}

async function linesOf(trx: Trx, invoices: readonly InvoiceRow[], options: RatingOptions) {
  // Usage of a time without a period is corrected as well.
  if (invoices.length === 0) return new Map<string, never[]>()
  const ids = [...new Set(invoices.flatMap(({ subscriptionId }) => subscriptionId ?? []))]
  const subscriptions = await trx
    .selectFrom('subscription')
    .select(['id', ...ratedColumns])
    .where('id', 'in', ids)
    .execute()
  const subscriptionOf = ({ id, subscriptionId }: InvoiceRow) => {
    const subscription = subscriptions.find((one) => one.id === subscriptionId)
    if (!subscription) throw new Error(`${id} belongs to no subscription.`)
    return subscription
  }
  const { lines } = await rateInvoices(trx, invoices, subscriptionOf, options)
  return Map.groupBy(
    lines.map(({ origin, line }) => ({ ...line, invoice: origin.id })),
    ({ invoice }) => invoice,
  )
}
