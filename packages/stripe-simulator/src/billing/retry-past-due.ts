import type { World } from '../world.ts'
import { collectAndSettle } from './settle.ts'

/**
 * "When you update a customer to a new valid card source by passing the `source` parameter: for each of the customer's
 * current subscriptions, if the subscription bills automatically and is in the `past_due` state, then the latest open
 * invoice for the subscription with automatic collection enabled is retried. This retry doesn't count as an automatic
 * retry, and doesn't affect the next regularly scheduled payment for the invoice."
 * https://docs.stripe.com/api/customers/update
 */
export function retryPastDue(world: World, customer: string): void {
  for (const { id, status, collection_method: how } of world.subscriptions.by('customer', customer)) {
    if (status !== 'past_due' || how !== 'charge_automatically') continue
    const latest = world.invoices
      .by('subscription', id)
      .findLast((invoice) => invoice.status === 'open' && invoice.auto_advance === true)
    if (latest !== undefined) collectAndSettle(world, latest.id, { offSession: true, automatic: false })
  }
}
