import type { InvoiceRow, SubscriptionRow } from '../rows.ts'
import type { World } from '../world.ts'
import { endSubscription } from './end.ts'
import { finalize } from './invoices.ts'
import { itemsOf, scheduleDue } from './periods.ts'
import { creditUnused } from './prorate.ts'
import { advanceItems, leaveAsDraft, subscriptionDraft } from './renew.ts'
import { collectAndSettle } from './settle.ts'

/** A subscription reached a boundary: its planned end, the end of a pause, of a trial, or of a period. */
export function subscriptionDue(world: World, id: string): InvoiceRow | null {
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
  const lines = advanceItems(world, subscription, now)
  const draft = subscriptionDraft(world, id, {
    reason: 'subscription_cycle',
    lines,
    period,
    at: now,
    pending,
  })
  if (!world.preview) leaveAsDraft(world, draft)
  const renewed = world.subscriptions.must(id)
  scheduleDue(world, renewed)
  world.emit('customer.subscription.updated', renewed)
  return draft
}

/** A trial ends: active, or what `missing_payment_method` says. False when nothing is to be billed. */
function endTrial(world: World, id: string): boolean {
  const subscription = world.subscriptions.must(id)
  const behavior = subscription.trial_settings?.end_behavior.missing_payment_method ?? 'create_invoice'
  const lacksMethod =
    subscription.collection_method === 'charge_automatically' && !hasMethod(world, subscription)
  if (lacksMethod && behavior === 'cancel') {
    endSubscription(world, id, { reason: 'payment_failed', asked: true })
    return false
  }
  if (lacksMethod && behavior === 'pause') {
    const paused = world.subscriptions.patch(id, { status: 'paused' })
    scheduleDue(world, paused)
    world.emit('customer.subscription.updated', paused)
    world.emit('customer.subscription.paused', paused)
    return false
  }
  world.subscriptions.patch(id, { status: 'active' })
  return true
}

function hasMethod(world: World, subscription: SubscriptionRow): boolean {
  const customer = world.customers.must(subscription.customer)
  return (
    subscription.default_payment_method !== null || customer.invoice_settings.default_payment_method !== null
  )
}

/**
 * The end that was planned by `cancel_at_period_end` or `cancel_at`. Pending items go onto a final
 * invoice; an end inside a period credits what is left of it.
 */
function endAsPlanned(world: World, id: string, now: number): InvoiceRow | null {
  const subscription = world.subscriptions.must(id)
  const inside = itemsOf(world, id).filter((item) => item.current_period_end > now)
  if (subscription.own.proratesEnd) for (const item of inside) creditUnused(world, subscription, item, now)
  const final = finalInvoice(world, id, now)
  if (final !== null) leaveAsDraft(world, final)
  endSubscription(world, id, { reason: 'cancellation_requested', asked: false })
  if (final !== null) keepCollecting(world, final)
  return final
}

/** The last invoice of a subscription, if there is anything on it. */
export function finalInvoice(world: World, id: string, now: number): InvoiceRow | null {
  const subscription = world.subscriptions.must(id)
  const waits = world.invoiceItems
    .by('pending', subscription.customer)
    .some((item) => item.own.subscription === id && item.currency === subscription.currency)
  if (!waits) return null
  const items = itemsOf(world, id)
  const start = Math.min(...items.map((item) => item.current_period_start))
  return subscriptionDraft(world, id, {
    reason: 'subscription_cycle',
    lines: [],
    period: { start, end: now },
    at: now,
  })
}

/** Ending stops the collection of older invoices, not of the final one. */
function keepCollecting(world: World, final: InvoiceRow): void {
  leaveAsDraft(world, world.invoices.patch(final.id, { auto_advance: true }))
}

/** A draft's hour is over: finalized and collected, or treated as its paused subscription says. */
export function draftDue(world: World, id: string): void {
  const open = finalize(world, id)
  if (open.status !== 'open' || open.collection_method !== 'charge_automatically') return
  if (open.auto_advance !== true) return
  collectAndSettle(world, id, { offSession: true, automatic: true })
}

/** A planned retry. Without a usable method it is counted and not executed. */
export function retryDue(world: World, id: string): void {
  const invoice = world.invoices.must(id)
  if (invoice.status !== 'open') return
  collectAndSettle(world, id, { offSession: true, automatic: true })
}
