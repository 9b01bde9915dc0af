import type { Db, Trx } from '../postgres/connect.ts'
import type { ObservedInvoice } from '../provider/stripe/to-invoice.ts'
import { CYCLE, type InvoiceRow } from '../store/invoices.ts'

export interface ToMatch {
  readonly subscriptionId: string | null
  /** The invoice of ours that we made it for, by its metadata. */
  readonly madeFor: string | null
  readonly seen: ObservedInvoice
}

/**
 * The invoice of ours that one of Stripe's is: the one linked to it; the one we made it for; or, of a
 * renewal, the one whose period it bills. Stripe's invoice of a renewal carries the period that is
 * over; where Stripe ended it early, only its start is still the same.
 */
export async function matchInvoice(
  db: Db | Trx,
  { subscriptionId, madeFor, seen }: ToMatch,
): Promise<InvoiceRow | undefined> {
  const linked = await db
    .selectFrom('invoice')
    .selectAll()
    .where('providerInvoiceId', '=', seen.providerId)
    .executeTakeFirst()
  if (linked) return linked
  const unlinked = db.selectFrom('invoice').selectAll().where('providerInvoiceId', 'is', null)
  if (madeFor !== null) {
    return unlinked.where('id', '=', madeFor).where('status', 'in', ['closing', 'draft']).executeTakeFirst()
  }
  if (subscriptionId === null || seen.billingReason !== CYCLE) return undefined
  const candidates = await unlinked
    .where('subscriptionId', '=', subscriptionId)
    .where('planVersionId', 'is not', null)
    .where('status', 'in', ['current', 'closing'])
    .orderBy('periodStart')
    .execute()
  return (
    candidates.find(({ periodEnd }) => periodEnd === seen.period.end) ??
    candidates.find(
      ({ periodStart, periodEnd }) => periodStart === seen.period.start && seen.period.end < periodEnd,
    )
  )
}
