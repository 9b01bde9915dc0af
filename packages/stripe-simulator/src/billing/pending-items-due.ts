import { periodAt } from '../rules/billing-cycle.ts'
import type { World } from '../world.ts'
import { schedulePendingItems } from './pending-interval.ts'
import { itemsOf } from './periods.ts'
import { subscriptionDraft } from './renew.ts'

/** A subscription's interval is over: what is pending goes onto an invoice, if anything is. Where it meets a renewal, the renewal takes it. */
export function pendingItemsDue(world: World, id: string): void {
  const subscription = world.subscriptions.must(id)
  const now = world.now(subscription.own.clock)
  const rhythm = subscription.pending_invoice_item_interval
  const renews = itemsOf(world, id).some((item) => item.current_period_end <= now)
  const waits = world.invoiceItems
    .by('pending', subscription.customer)
    .some((item) => item.own.subscription === id)
  if (rhythm !== null && !renews && waits) {
    subscriptionDraft(world, id, {
      reason: 'automatic_pending_invoice_item_invoice',
      lines: [],
      period: periodAt(subscription.billing_cycle_anchor, rhythm, now - 1),
      at: now,
      waits: true,
    })
  }
  schedulePendingItems(world, world.subscriptions.must(id))
  world.emit('customer.subscription.updated', world.subscriptions.must(id))
}
