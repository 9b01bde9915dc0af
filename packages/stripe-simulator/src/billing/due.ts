import type { InvoiceRow } from '../rows.ts'
import { moved } from '../rules/subscription-status.ts'
import type { World } from '../world.ts'
import { failFinalization } from './automatic-tax.ts'
import { dropEnded } from './discounts.ts'
import { endSubscription, markUncollectible, voidInvoice } from './end.ts'
import { finalize } from './invoices.ts'
import { outstandingUsage } from './metered.ts'
import { expireHeld } from './pending-update.ts'
import { itemsOf, scheduleDue } from './periods.ts'
import { creditUnused } from './prorate.ts'
import { advanceItems, subscriptionDraft } from './renew.ts'
import { turnSchedule } from './schedules.ts'
import { collectAndSettle } from './settle.ts'
import { leaveTrial, withoutMethod } from './trial-end.ts'

const DAY = 86_400

/** A subscription reached a boundary: its planned end, the end of a pause, of a trial, or of a period. */
export function subscriptionDue(world: World, id: string): InvoiceRow | null {
  const pending = world.subscriptions.must(id)
  if ((pending.pending_update?.expires_at ?? Number.POSITIVE_INFINITY) <= world.now(pending.own.clock)) {
    expireHeld(world, id)
  }
  // Before anything is billed, a schedule may change what.
  turnSchedule(world, world.subscriptions.must(id).schedule)
  const subscription = world.subscriptions.must(id)
  const now = world.now(subscription.own.clock)
  const resumes = subscription.pause_collection?.resumes_at
  if (resumes != null && resumes <= now) {
    const resumed = world.subscriptions.patch(id, { pause_collection: null })
    world.emit('customer.subscription.updated', resumed)
  }
  if (subscription.cancel_at !== null && subscription.cancel_at <= now) return endAsPlanned(world, id, now)
  const due = itemsOf(world, id).some((item) => item.current_period_end <= now)
  if (!due || subscription.status === 'paused') {
    scheduleDue(world, world.subscriptions.must(id))
    return null
  }
  if (
    subscription.status === 'trialing' &&
    subscription.trial_end !== null &&
    subscription.trial_end <= now
  ) {
    if (!endTrial(world, id)) return null
  }
  return renew(world, id, now)
}

/** The next period of every item whose period is over, and the draft that bills it. */
export function renew(world: World, id: string, now: number, pending = true): InvoiceRow {
  const subscription = world.subscriptions.must(id)
  const ended = itemsOf(world, id).filter((item) => item.current_period_end <= now)
  const period = {
    start: Math.min(...ended.map((item) => item.current_period_start)),
    end: Math.max(...ended.map((item) => item.current_period_end)),
  }
  dropEnded(world, id, now)
  const lines = advanceItems(world, subscription, now)
  const draft = subscriptionDraft(world, id, {
    reason: 'subscription_cycle',
    lines,
    period,
    at: now,
    pending,
    waits: true,
  })
  scheduleDue(world, world.subscriptions.must(id))
  world.emit('customer.subscription.updated', world.subscriptions.must(id))
  return draft
}

/** A trial ends: active, or what `missing_payment_method` says. False when nothing is to be billed. */
function endTrial(world: World, id: string): boolean {
  const subscription = world.subscriptions.must(id)
  const leaves = withoutMethod(world, subscription)
  if (leaves !== undefined) {
    leaveTrial(world, id, leaves, 'payment_failed')
    return false
  }
  const resets = subscription.trial_settings?.end_behavior.billing_cycle_anchor === 'now'
  world.subscriptions.patch(id, {
    ...moved(subscription, 'trial_ended'),
    ...(resets && subscription.trial_end !== null ? { billing_cycle_anchor: subscription.trial_end } : {}),
  })
  return true
}

/**
 * The end that was planned by `cancel_at_period_end` or `cancel_at`. Pending items go onto a final
 * invoice; an end inside a period credits what is left of it.
 */
function endAsPlanned(world: World, id: string, now: number): InvoiceRow | null {
  const subscription = world.subscriptions.must(id)
  const inside = itemsOf(world, id).filter((item) => item.current_period_end > now)
  // Nothing was paid for a trial.
  if (subscription.own.proratesEnd && subscription.status !== 'trialing') {
    for (const item of inside) creditUnused(world, subscription, item, now)
  }
  const final = finalInvoice(world, id, now)
  endSubscription(world, id, { reason: 'cancellation_requested', asked: false, except: final?.id })
  return final
}

/** The last invoice of a subscription, if there is anything on it: of what is pending, and of what was used before a moment. */
export function finalInvoice(world: World, id: string, at: number, usedBefore = at): InvoiceRow | null {
  const subscription = world.subscriptions.must(id)
  const waits = world.invoiceItems
    .by('pending', subscription.customer)
    .some((item) => item.own.subscription === id && item.currency === subscription.currency)
  const usage = subscription.status === 'trialing' ? [] : outstandingUsage(world, subscription, usedBefore)
  if (!waits && usage.length === 0) return null
  const items = itemsOf(world, id)
  const start = Math.min(...items.map((item) => item.current_period_start))
  return subscriptionDraft(world, id, {
    reason: 'subscription_cycle',
    lines: usage.map((line) => ({ ...line, period: { ...line.period, end: at } })),
    period: { start, end: at },
    at,
    waits: true,
  })
}

/**
 * A draft's hour is over: finalized and collected, or treated as its paused subscription says. Until every
 * endpoint took `invoice.created` it is held, at most 72 hours.
 * https://docs.stripe.com/billing/subscriptions/webhooks
 */
export function draftDue(world: World, id: string): void {
  const draft = world.invoices.must(id)
  const now = world.now(draft.own.clock)
  const until = draft.created + world.settings.holdSeconds
  if (!isAcknowledged(world, draft) && now < until) {
    world.invoices.patch(id, { own: { ...draft.own, heldUntil: until } })
    world.alarm('invoice.finalize', id, draft.own.clock, until)
    return
  }
  if (failFinalization(world, id) !== null) {
    // It is tried again every day until the customer's address is mended.
    world.alarm('invoice.finalize', id, draft.own.clock, now + DAY)
    return
  }
  const open = finalize(world, id)
  if (open.status !== 'open') return
  const paused = world.subscriptions.get(open.own.subscription)?.pause_collection?.behavior
  if (paused === 'void') voidInvoice(world, id, 'void_invoice')
  else if (paused === 'mark_uncollectible') markUncollectible(world, id, 'subscription_paused')
  else if (open.collection_method === 'charge_automatically' && open.auto_advance === true) {
    collectAndSettle(world, id, { offSession: true, automatic: true })
  }
}

function isAcknowledged(world: World, draft: InvoiceRow): boolean {
  const event = world.events.get(draft.own.createdEvent)
  return event === undefined || (event.own.pending === 0 && !event.own.failed)
}

/** The last endpoint took `invoice.created`: what was held goes on. */
export function acknowledged(world: World, id: string): void {
  const invoice = world.invoices.get(id)
  if (invoice === undefined) return
  const now = world.now(invoice.own.clock)
  world.invoices.patch(id, { webhooks_delivered_at: now })
  if (invoice.status !== 'draft' || invoice.own.heldUntil === null) return
  world.invoices.patch(id, { own: { ...invoice.own, heldUntil: null } })
  if (world.testClocks.get(invoice.own.clock)?.status === 'advancing') {
    world.alarm('invoice.finalize', id, invoice.own.clock, now)
  } else {
    draftDue(world, id)
  }
}

/** A planned retry. Without a usable method it is counted and not executed. */
export function retryDue(world: World, id: string): void {
  const invoice = world.invoices.must(id)
  if (invoice.status !== 'open') return
  collectAndSettle(world, id, { offSession: true, automatic: true })
}
