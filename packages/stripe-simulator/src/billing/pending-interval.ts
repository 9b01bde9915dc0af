import type { SubscriptionRow } from '../rows.ts'
import { periodAt } from '../rules/billing-cycle.ts'
import type { World } from '../world.ts'

/**
 * `pending_invoice_item_interval` bills pending items more often than the cycle: monthly usage on a yearly
 * plan. Counted from the anchor, while the subscription is billed at all: not in a trial, nor while it is paused.
 * https://docs.stripe.com/billing/subscriptions/prorations#pending-invoice-item-interval
 */
export function schedulePendingItems(world: World, subscription: SubscriptionRow): void {
  const { id, own, status, pending_invoice_item_interval: rhythm } = subscription
  const runs = status === 'active' || status === 'past_due' || status === 'unpaid'
  const next =
    rhythm === null || !runs
      ? null
      : periodAt(subscription.billing_cycle_anchor, rhythm, world.now(own.clock)).end
  world.alarm('subscription.pending_items', id, own.clock, next)
  if (subscription.next_pending_invoice_item_invoice === next) return
  world.subscriptions.patch(id, { next_pending_invoice_item_invoice: next })
}
