import type { InvoiceRow, SubscriptionRow } from '../rows.ts'
import { moved } from '../rules/subscription-status.ts'
import type { World } from '../world.ts'
import { finalize } from './invoices.ts'
import { billUsageSoFar, isMetered, restartUsage } from './metered.ts'
import { hasPending } from './pending.ts'
import { expireHeld } from './pending-update.ts'
import { itemsOf, scheduleDue } from './periods.ts'
import { creditUnused } from './prorate.ts'
import { subscriptionDraft } from './renew.ts'
import { collectAndSettle } from './settle.ts'

export interface Pause {
  readonly unusedFrom: 'item_current_period_start' | 'none' | 'now'
  readonly usageThrough: 'none' | 'now'
  readonly invoicing: 'invoice' | 'pending_invoice_item'
}

/**
 * Stops service and billing: what is unused is credited, what was used is billed, the periods end now and no
 * others begin. Invoices that are there go on. https://docs.stripe.com/billing/subscriptions/pause
 */
export function pauseSubscription(world: World, id: string, how: Pause): InvoiceRow | null {
  expireHeld(world, id)
  const subscription = world.subscriptions.must(id)
  const now = world.now(subscription.own.clock)
  for (const item of itemsOf(world, id)) {
    if (isMetered(world.prices.must(item.own.price))) {
      if (how.usageThrough === 'now') billUsageSoFar(world, subscription, item, now)
      restartUsage(world, item, now)
    } else if (how.unusedFrom !== 'none') {
      const from = how.unusedFrom === 'now' ? now : item.current_period_start
      creditUnused(world, subscription, item, from)
    }
    const { own } = world.subscriptionItems.must(item.id)
    world.subscriptionItems.patch(item.id, { current_period_end: now, own: { ...own, debit: null } })
  }
  const paused = world.subscriptions.patch(id, {
    ...moved(subscription, 'paused'),
    status_details: pausedBecause('pause_requested', now),
  })
  const draft = how.invoicing === 'invoice' && hasPending(world, paused) ? pauseDraft(world, id, now) : null
  const told = world.subscriptions.must(id)
  scheduleDue(world, told)
  world.emit('customer.subscription.updated', told)
  world.emit('customer.subscription.paused', told)
  if (draft !== null && !world.preview) {
    const open = finalize(world, draft.id)
    if (open.status === 'open') collectAndSettle(world, draft.id, { offSession: true, automatic: true })
  }
  return draft
}

function pauseDraft(world: World, id: string, now: number): InvoiceRow {
  return subscriptionDraft(world, id, {
    reason: 'subscription_update',
    lines: [],
    period: { start: now, end: now },
    at: now,
  })
}

/** Why and since when a subscription is paused; a running one has no such details. */
export function pausedBecause(
  type: 'pause_requested' | 'trial_end_without_payment_method',
  at: number,
): SubscriptionRow['status_details'] {
  return { paused: { subscription: { type }, transitioned_at: at, type: 'subscription' } }
}
