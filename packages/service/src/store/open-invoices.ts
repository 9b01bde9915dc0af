import type { Db } from '../postgres/connect.ts'
import type { InvoiceRow } from './invoices.ts'
import type { Row } from './schema.ts'

/** A subscription's row with what a reader of its invoices needs of others. */
export type BilledSubscription = Row<'subscription'> & {
  readonly interval: Row<'planVersion'>['interval']
  readonly intervalCount: number
  readonly usageInterval: Row<'planVersion'>['usageInterval']
}

export interface OpenInvoices {
  readonly subscriptions: readonly BilledSubscription[]
  /** Those that are not final, and those with late usage; oldest first. Without those that are only mirrored. */
  readonly invoices: readonly InvoiceRow[]
}

/** What is open of one subscription, or of all of a customer's. */
export async function readOpenInvoices(
  db: Db,
  of: { readonly subscriptionId: string } | { readonly customerId: string },
): Promise<OpenInvoices> {
  const subscriptions = db
    .selectFrom('subscription')
    .innerJoin('planVersion', 'planVersion.id', 'subscription.planVersionId')
    .selectAll('subscription')
    .select(['planVersion.interval', 'planVersion.intervalCount', 'planVersion.usageInterval'])
  const invoices = db
    .selectFrom('invoice')
    .selectAll()
    .where('planVersionId', 'is not', null)
    .where((eb) => eb.or([eb('status', 'in', ['current', 'closing']), eb('lateUsage', '=', true)]))
    .orderBy('periodStart')
    .orderBy('id')
  const [foundSubscriptions, foundInvoices] =
    'subscriptionId' in of
      ? await Promise.all([
          subscriptions.where('subscription.id', '=', of.subscriptionId).execute(),
          invoices.where('subscriptionId', '=', of.subscriptionId).execute(),
        ])
      : await Promise.all([
          subscriptions
            .where('subscription.customerId', '=', of.customerId)
            .orderBy('subscription.startedAt')
            .execute(),
          invoices.where('customerId', '=', of.customerId).execute(),
        ])
  return { subscriptions: foundSubscriptions, invoices: foundInvoices }
}
