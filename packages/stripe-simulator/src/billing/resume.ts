import type { SubscriptionRow } from '../rows.ts'
import type { World } from '../world.ts'
import { finalize } from './invoices.ts'
import { itemPeriod, itemsOf, rhythmOf, scheduleDue } from './periods.ts'
import { billItem, subscriptionDraft } from './renew.ts'
import { collectAndSettle } from './settle.ts'

/**
 * Resumes a paused subscription with its anchor at now: a whole new period, invoiced and attempted at
 * once. https://docs.stripe.com/api/subscriptions/resume
 */
export function resumeSubscription(world: World, id: string): SubscriptionRow {
  const paused = world.subscriptions.must(id)
  const now = world.now(paused.own.clock)
  const subscription = world.subscriptions.patch(id, { status: 'active', billing_cycle_anchor: now })
  const lines = itemsOf(world, id).flatMap((item) =>
    billItem(world, subscription, item, itemPeriod(now, rhythmOf(world.prices.must(item.own.price)), now)),
  )
  const draft = subscriptionDraft(world, id, {
    reason: 'subscription_update',
    lines: lines.reverse(),
    period: { start: now, end: now },
    at: now,
  })
  const resumed = world.subscriptions.must(id)
  scheduleDue(world, resumed)
  world.emit('customer.subscription.updated', resumed)
  world.emit('customer.subscription.resumed', resumed)
  const open = finalize(world, draft.id)
  if (open.status === 'open') collectAndSettle(world, draft.id, { offSession: true, automatic: true })
  return world.subscriptions.must(id)
}
