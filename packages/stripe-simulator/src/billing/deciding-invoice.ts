import type { InvoiceRow, SubscriptionRow } from '../rows.ts'
import type { World } from '../world.ts'

/**
 * Whether this is the invoice by which its subscription is `active` or `past_due`: "payment on the latest finalized
 * invoice either failed or wasn't attempted". A draft does not count yet, and an older one no more: `active` "doesn't
 * indicate that all outstanding invoices have been paid".
 * https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses
 *
 * While a subscription is `unpaid`, its later invoices stay drafts; the most recent of them is to be paid.
 */
export function decidesStatus(
  world: World,
  { id, status, latest_invoice: newest }: SubscriptionRow,
  invoice: InvoiceRow,
): boolean {
  if (status === 'unpaid') return newest === invoice.id
  const finalized = world.invoices.by('subscription', id).filter(counts)
  const last = finalized.reduce((best, one) => (finalizedAt(one) >= finalizedAt(best) ? one : best), invoice)
  return last.id === invoice.id
}

/**
 * That of an update decides nothing until the update is made: "the subscription will continue to cycle as if no
 * update request was made". https://docs.stripe.com/billing/subscriptions/pending-updates-reference
 */
const counts = ({ own, status_transitions: { finalized_at: at } }: InvoiceRow) => at !== null && !own.isHeld

const finalizedAt = ({ status_transitions: { finalized_at: at } }: InvoiceRow) => at ?? 0
