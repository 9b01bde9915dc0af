import { compiled } from '../postgres/compiled.ts'
import type { Db, Trx } from '../postgres/connect.ts'
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

/** Whose: one subscription's, that of an invoice, or all of a customer's. */
type Whose =
  | { readonly subscriptionId: string }
  | { readonly invoiceId: string }
  | { readonly customerId: string }

interface Sought {
  readonly subscriptionId?: string
  readonly invoiceId?: string
  readonly customerId?: string
}

const subscriptionsOf = compiled((db, { subscriptionId, invoiceId, customerId }: Sought) => {
  const all = db
    .selectFrom('subscription')
    .innerJoin('planVersion', 'planVersion.id', 'subscription.planVersionId')
    .selectAll('subscription')
    .select(['planVersion.interval', 'planVersion.intervalCount', 'planVersion.usageInterval'])
  if (customerId !== undefined)
    return all.where('subscription.customerId', '=', customerId).orderBy('subscription.startedAt')
  if (subscriptionId !== undefined) return all.where('subscription.id', '=', subscriptionId)
  return all.where('subscription.id', '=', subscriptionOf(db, invoiceId ?? ''))
})

const invoicesOf = compiled((db, { subscriptionId, invoiceId, customerId }: Sought) => {
  const all = db
    .selectFrom('invoice')
    .selectAll()
    .where('planVersionId', 'is not', null)
    .where((eb) => eb.or([eb('status', 'in', ['current', 'closing']), eb('lateUsage', '=', true)]))
    .orderBy('periodStart')
    .orderBy('id')
  if (customerId !== undefined) return all.where('customerId', '=', customerId)
  if (subscriptionId !== undefined) return all.where('subscriptionId', '=', subscriptionId)
  return all.where('subscriptionId', '=', subscriptionOf(db, invoiceId ?? ''))
})

const subscriptionOf = (db: Db | Trx, invoiceId: string) =>
  db.selectFrom('invoice as one').select('one.subscriptionId').where('one.id', '=', invoiceId)

/** What is open of one subscription, or of all of a customer's. */
export async function readOpenInvoices(db: Db, whose: Whose): Promise<OpenInvoices> {
  const [subscriptions, invoices] = await Promise.all([subscriptionsOf(db, whose), invoicesOf(db, whose)])
  return { subscriptions, invoices }
}
