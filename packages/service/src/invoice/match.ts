import type { Db, Trx } from '../postgres/connect.ts'
import type { ObservedInvoice } from '../provider/stripe/to-invoice.ts'
import { CYCLE, INTERVAL, type InvoiceRow, linkedInvoice } from '../store/invoices.ts'
import { USAGE_INVOICE_WITHIN_SECONDS } from './expect-turn.ts'

export interface ToMatch {
  readonly subscriptionId: string | null
  /** The invoice of ours that we made it for, by its metadata. */
  readonly madeFor: string | null
  readonly seen: ObservedInvoice
}

/**
 * The invoice of ours that one of Stripe's is: the one linked to it; the one we made it for; or, of a
 * renewal, the one whose period it bills. Stripe's invoice of a renewal carries the period that is
 * over, of which ours may be the last part; where Stripe ended it early, ours goes on beyond it. What Stripe's
 * invoice of an interval carries is nowhere said: without a match it is the one of the period that was just over.
 * None of them is a draft's that was stopped, whatever becomes of that later.
 */
export async function matchInvoice(
  db: Db | Trx,
  { subscriptionId, madeFor, seen }: ToMatch,
): Promise<InvoiceRow | undefined> {
  const linked = await linkedInvoice(db, seen.providerId)
  if (linked) return linked
  const unlinked = db.selectFrom('invoice').selectAll().where('providerInvoiceId', 'is', null)
  if (madeFor !== null) {
    return unlinked.where('id', '=', madeFor).where('status', 'in', ['closing', 'draft']).executeTakeFirst()
  }
  const { billingReason, period, created } = seen
  if (subscriptionId === null || (billingReason !== CYCLE && billingReason !== INTERVAL)) return undefined
  const unmatched = await unlinked
    .where('subscriptionId', '=', subscriptionId)
    .where('planVersionId', 'is not', null)
    .where('status', 'in', ['current', 'closing'])
    .orderBy('periodStart')
    .execute()
  const candidates = unmatched.filter(({ stoppedDraft }) => stoppedDraft !== seen.providerId)
  const exact = candidates.find(({ periodEnd }) => periodEnd === period.end)
  if (exact) return exact
  if (billingReason === INTERVAL) {
    return candidates.findLast(
      ({ periodEnd }) => periodEnd <= created && created < periodEnd + USAGE_INVOICE_WITHIN_SECONDS,
    )
  }
  // Only the newest goes on beyond what is heard of: of any other the next one tells where it ends.
  const newest = candidates.at(-1)
  if (newest === undefined) return undefined
  const { periodStart, periodEnd } = newest
  const isEnded = period.start <= periodStart && periodStart < period.end && period.end < periodEnd
  return isEnded ? newest : undefined
}
