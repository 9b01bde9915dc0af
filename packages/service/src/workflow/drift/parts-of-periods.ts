import type Stripe from 'stripe'
import type { ObservedInvoice } from '../../provider/stripe/to-invoice.ts'
import { loadPlanVersions } from '../../store/plans.ts'
import { readObjects } from '../../store/provider-objects.ts'
import type { Row } from '../../store/schema.ts'
import type { LookDeps } from '../look.ts'

/** An invoice here and the same at Stripe. */
export interface InvoicePair {
  readonly row: Row<'invoice'>
  readonly seen: ObservedInvoice
}

/**
 * Of final invoices those whose period is the last part of the one that Stripe says, and is meant to be: usage that is
 * billed more often than the fees, or an item of a shorter rhythm beside the plan, closes months of a year, and the renewal's
 * own period at Stripe is the year ("looks back one period", https://docs.stripe.com/api/invoices/object#invoice_object-period_start).
 */
export async function partsOfPeriods(
  { db }: LookDeps,
  pairs: readonly InvoicePair[],
): Promise<ReadonlySet<string>> {
  const parts = pairs.filter(isPart)
  if (parts.length === 0) return new Set()
  const [versions, pictures] = await Promise.all([
    loadPlanVersions(db, [...new Set(parts.flatMap(({ row }) => row.planVersionId ?? []))]),
    readObjects(
      db,
      parts.flatMap(({ seen }) => seen.subscription ?? []).map((id) => ({ type: 'subscription', id })),
    ),
  ])
  const split = new Set(versions.filter(({ plan }) => plan.usageInterval !== null).map(({ id }) => id))
  const isMixed = ({ subscription }: ObservedInvoice) => {
    const raw = pictures.get(`subscription ${subscription}`)?.raw
    return rhythmsOf(raw as Partial<Stripe.Subscription> | undefined).size > 1
  }
  const meant = parts.filter(({ row, seen }) => split.has(row.planVersionId ?? '') || isMixed(seen))
  return new Set(meant.map(({ row }) => row.id))
}

const isPart = ({ row, seen: { period } }: InvoicePair) =>
  period.end === row.periodEnd && period.start < row.periodStart

const rhythmsOf = (subscription: Partial<Stripe.Subscription> | undefined) =>
  new Set(
    subscription?.items?.data.map(
      ({ price }) => `${price.recurring?.interval_count} ${price.recurring?.interval}`,
    ),
  )
