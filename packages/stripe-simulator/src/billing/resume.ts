import type { InvoiceRow, SubscriptionItemRow, SubscriptionRow } from '../rows.ts'
import { moved } from '../rules/subscription-status.ts'
import type { World } from '../world.ts'
import { noMethod } from './collect.ts'
import { refusedWhole } from './create.ts'
import { hold, showHeld } from './hold.ts'
import { finalize } from './invoices.ts'
import { isMetered, restartUsage } from './metered.ts'
import { methodFor } from './methods.ts'
import { hasPending } from './pending.ts'
import { applyHeld, stateOf } from './pending-update.ts'
import { cycleOf, itemPeriod, itemsOf, scheduleDue } from './periods.ts'
import { debitRemaining } from './prorate.ts'
import { billItem, subscriptionDraft } from './renew.ts'
import { collectAndSettle } from './settle.ts'

const HOUR = 3600

export interface Resumption {
  readonly anchor: 'now' | 'unchanged'
  readonly prorationBehavior: string
  readonly prorationDate: number | undefined
  readonly paymentBehavior: 'resume_on_payment_attempt' | 'resume_on_payment_success'
}

/**
 * Resumes a paused subscription. Without an invoice it is active at once; with one it stays paused until that
 * is paid. The request attempts payment only with `resume_on_payment_success`; otherwise the first attempt,
 * made by paying the invoice, resumes it, past due if it fails.
 * https://docs.stripe.com/billing/subscriptions/pause#resume-subscriptions
 */
export function resumeSubscription(world: World, id: string, how: Resumption): InvoiceRow | null {
  const before = stateOf(world, id)
  const draft = resumed(world, before.row, how)
  if (world.preview) return draft
  if (draft === null) {
    const active = world.subscriptions.must(id)
    scheduleDue(world, active)
    world.emit('customer.subscription.updated', active)
    world.emit('customer.subscription.resumed', active)
    return null
  }
  hold(world, before, stateOf(world, id), draft, how.paymentBehavior)
  const open = finalize(world, draft.id)
  if (open.status === 'paid') {
    applyHeld(world, world.subscriptions.must(id), open)
    return open
  }
  if (how.paymentBehavior === 'resume_on_payment_success') {
    if (methodFor(world, open) === undefined) throw refusedWhole(noMethod())
    collectAndSettle(world, draft.id, { offSession: true, automatic: true })
  }
  if (world.subscriptions.must(id).own.held != null) {
    const hours = how.paymentBehavior === 'resume_on_payment_success' ? 365 * 24 : 23
    showHeld(world, id, world.now(open.own.clock) + hours * HOUR, null, null)
    world.emit('customer.subscription.updated', world.subscriptions.must(id))
  }
  return world.invoices.must(draft.id)
}

/** The running subscription and its draft, if resuming bills anything now. */
function resumed(world: World, paused: SubscriptionRow, how: Resumption): InvoiceRow | null {
  const now = world.now(paused.own.clock)
  const subscription = world.subscriptions.patch(paused.id, {
    ...moved(paused, 'resumed'),
    status_details: undefined,
    ...(how.anchor === 'now' ? { billing_cycle_anchor: now } : {}),
  })
  // What was used while the service rested is not billed.
  const items = itemsOf(world, paused.id).map((item) => restartUsage(world, item, now))
  const lines =
    how.anchor === 'now'
      ? items.flatMap((item) => billItem(world, subscription, item, cycleAt(world, subscription, item, now)))
      : items.flatMap((item) => rejoin(world, subscription, item, how, now))
  const invoices = how.anchor === 'now' || how.prorationBehavior === 'always_invoice'
  if (!invoices || (lines.length === 0 && !hasPending(world, subscription))) return null
  return subscriptionDraft(world, paused.id, {
    reason: 'subscription_update',
    lines: lines.reverse(),
    period: { start: now, end: now },
    at: now,
  })
}

/** Back into the cycle that went on without it: the rest of the running period is a proration. */
function rejoin(
  world: World,
  subscription: SubscriptionRow,
  item: SubscriptionItemRow,
  how: Resumption,
  now: number,
): [] {
  const cycle = cycleAt(world, subscription, item, now)
  const joined = world.subscriptionItems.patch(item.id, {
    current_period_start: cycle.start,
    current_period_end: cycle.end,
  })
  if (how.prorationBehavior !== 'none' && !isMetered(world.prices.must(item.own.price))) {
    debitRemaining(world, subscription, joined, cycle, how.prorationDate ?? now)
  }
  return []
}

function cycleAt(world: World, subscription: SubscriptionRow, item: SubscriptionItemRow, now: number) {
  const rhythm = cycleOf(subscription, world.prices.must(item.own.price))
  return itemPeriod(subscription.billing_cycle_anchor, rhythm, now)
}
