import type { SubscriptionRow } from '../rows.ts'
import { periodAt } from '../rules/billing-cycle.ts'
import type { World } from '../world.ts'
import { itemsOf } from './periods.ts'
import { subscriptionDraft } from './renew.ts'

/**
 * `pending_invoice_item_interval` bills pending items more often than the cycle: monthly usage on a yearly
 * plan. Counted from the anchor; where it meets a renewal, the renewal takes the items.
 * https://docs.stripe.com/billing/subscriptions/prorations#pending-invoice-item-interval
 */
export function schedulePendingItems(world: World, subscription: SubscriptionRow): void {
  const { id, own, status, pending_invoice_item_interval: rhythm } = subscription
  const runs = status === 'active' || status === 'past_due' || status === 'unpaid'
  if (rhythm === null || !runs) {
    world.alarm('subscription.pending_items', id, own.clock, null)
    if (subscription.next_pending_invoice_item_invoice === null) return
    world.subscriptions.patch(id, { next_pending_invoice_item_invoice: null })
    return
  }
  const next = periodAt(subscription.billing_cycle_anchor, rhythm, world.now(own.clock)).end
  world.alarm('subscription.pending_items', id, own.clock, next)
  if (subscription.next_pending_invoice_item_invoice === next) return
  world.subscriptions.patch(id, { next_pending_invoice_item_invoice: next })
}

export function pendingItemsDue(world: World, id: string): void {
  const subscription = world.subscriptions.must(id)
  const now = world.now(subscription.own.clock)
  const renews = itemsOf(world, id).some((item) => item.current_period_end <= now)
  const waits = world.invoiceItems
    .by('pending', subscription.customer)
    .some((item) => item.own.subscription === id)
  if (!renews && waits) {
    const rhythm = subscription.pending_invoice_item_interval ?? { interval: 'month', interval_count: 1 }
    const period = periodAt(subscription.billing_cycle_anchor, rhythm, now - 1)
    subscriptionDraft(world, id, {
      reason: 'automatic_pending_invoice_item_invoice',
      lines: [],
      period,
      at: now,
      waits: true,
    })
  }
  schedulePendingItems(world, world.subscriptions.must(id))
  world.emit('customer.subscription.updated', world.subscriptions.must(id))
}
