import type { InvoiceRow, PriceRow, SubscriptionItemRow, SubscriptionRow } from '../rows.ts'
import { sameRhythm } from '../rules/billing-cycle.ts'
import type { Period } from '../rules/proration.ts'
import { moved, statusAfter } from '../rules/subscription-status.ts'
import type { World } from '../world.ts'
import { noMethod } from './collect.ts'
import { unpaid } from './create.ts'
import { endTakenOff } from './discounts.ts'
import { finalize } from './invoices.ts'
import { applyItem, type ItemChange, isChanged, settleUsage } from './item-change.ts'
import { isMetered } from './metered.ts'
import { methodFor } from './methods.ts'
import { cycleOf, itemPeriod, itemPicos, itemsOf, rhythmOf, scheduleDue } from './periods.ts'
import { creditUnused, debitRemaining } from './prorate.ts'
import { billItem, subscriptionDraft } from './renew.ts'
import { collectAndSettle } from './settle.ts'
import { leaveTrial, withoutMethod } from './trial-end.ts'

export interface Change {
  readonly items: readonly ItemChange[]
  readonly prorationBehavior: 'create_prorations' | 'always_invoice' | 'none'
  readonly prorationDate: number | undefined
  readonly anchorNow: boolean
  /** A new end of the trial, or `now`. */
  readonly trialEnd: number | 'now' | undefined
  /** Whether the trial's end came from the prices. */
  readonly trialFromPlan?: boolean | undefined
  /** A planned end with the items' periods, as they are after the change. */
  readonly endsWith?: 'min_period_end' | 'max_period_end' | undefined
  readonly paymentBehavior: string
  readonly offSession: boolean
  /** Everything else, set as it is. */
  readonly fields: Partial<SubscriptionRow>
}

/**
 * Changes a running subscription and bills what the change asks for.
 * https://docs.stripe.com/billing/subscriptions/change and .../prorations
 */
export function updateSubscription(world: World, id: string, change: Change): InvoiceRow | null {
  const before = world.subscriptions.must(id)
  const endsTrial = change.trialEnd === 'now' && before.status === 'trialing' && !world.preview
  const leaves = endsTrial ? withoutMethod(world, { ...before, ...change.fields }) : undefined
  const draft = applyChange(world, id, leaves === undefined ? change : { ...change, trialEnd: undefined })
  endTakenOff(world, id)
  if (leaves !== undefined) {
    leaveTrial(world, id, leaves, 'cancellation_requested')
    return null
  }
  const changed = world.subscriptions.must(id)
  scheduleDue(world, changed)
  world.emit('customer.subscription.updated', changed)
  if (draft !== null && !world.preview) bill(world, draft, change, endsTrial)
  return draft
}

/** The change itself, with its draft when it is to be billed now. */
export function applyChange(world: World, id: string, change: Change): InvoiceRow | null {
  const before = world.subscriptions.patch(id, change.fields)
  const now = world.now(before.own.clock)
  const endsTrial = change.trialEnd === 'now' && before.status === 'trialing'
  const startsTrial = typeof change.trialEnd === 'number' && before.status !== 'trialing'
  const movesTrial = typeof change.trialEnd === 'number' && before.status === 'trialing'
  const staysOnTrial = before.status === 'trialing' && !endsTrial
  const resets =
    endsTrial ||
    startsTrial ||
    (!staysOnTrial && (change.anchorNow || (before.status !== 'paused' && restarts(world, before, change))))
  const at = change.prorationDate ?? now
  const draft = resets ? restart(world, before, change, now, at) : adjust(world, before, change, now, at)
  // The periods of a trial end with it: another anchor is that of the cycle after it.
  if (staysOnTrial && change.anchorNow) world.subscriptions.patch(id, { billing_cycle_anchor: now })
  if (movesTrial) moveTrial(world, id, change.trialEnd as number)
  moveEnd(world, id, change)
  return draft
}

/** Whether a change of items restarts the period: another interval, or from free to paid. Classic only. */
function restarts(world: World, subscription: SubscriptionRow, change: Change): boolean {
  if (subscription.billing_mode.type !== 'classic') return false
  return change.items.some((entry) => {
    if (entry.deleted || entry.price === undefined) return false
    const old =
      entry.id === undefined ? itemsOf(world, subscription.id)[0] : world.subscriptionItems.get(entry.id)
    if (old === undefined) return false
    return (
      changesRhythm(world, old, entry.price) ||
      (entry.id !== undefined && becomesPaid(world, subscription, old, entry))
    )
  })
}

function changesRhythm(world: World, item: SubscriptionItemRow, price: string): boolean {
  return !sameRhythm(rhythmOf(world.prices.must(item.own.price)), rhythmOf(world.prices.must(price)))
}

function becomesPaid(
  world: World,
  { currency }: SubscriptionRow,
  item: SubscriptionItemRow,
  entry: ItemChange,
): boolean {
  const next = { own: { price: entry.price ?? item.own.price }, quantity: entry.quantity ?? item.quantity }
  return itemPicos(world, item, currency) === 0n && itemPicos(world, next, currency) > 0n
}

/** Ends the period now: what is left is credited, and a full new period is billed at once. */
function restart(world: World, before: SubscriptionRow, change: Change, now: number, at: number): InvoiceRow {
  const leave = leftOut(world, before, change)
  if (prorates(before, change)) {
    for (const item of itemsOf(world, before.id)) creditUnused(world, before, item, at)
  }
  const trialEnd = typeof change.trialEnd === 'number' ? change.trialEnd : null
  const subscription = world.subscriptions.patch(before.id, {
    billing_cycle_anchor: trialEnd ?? now,
    ...(trialEnd !== null
      ? {
          ...moved(before, 'trial_started'),
          trial_start: trialStart(before, now),
          trial_end: trialEnd,
          own: { ...before.own, trialFrom: now },
        }
      : before.status === 'trialing'
        ? { ...moved(before, 'trial_ended'), trial_end: now }
        : {}),
  })
  for (const entry of change.items) {
    const old = world.subscriptionItems.get(entry.id)
    if (old !== undefined) settleUsage(world, before, old, entry, change.prorationBehavior, now)
    applyItem(world, subscription, entry, now)
  }
  const lines = itemsOf(world, subscription.id).flatMap((item) => {
    const rhythm = cycleOf(subscription, world.prices.must(item.own.price))
    return billItem(world, subscription, item, itemPeriod(subscription.billing_cycle_anchor, rhythm, now))
  })
  return subscriptionDraft(world, subscription.id, {
    reason: 'subscription_update',
    lines: lines.reverse(),
    period: { start: now, end: now },
    at: now,
    leave,
    ...prorationDate(change),
  })
}

/**
 * "Billing cycle anchor reset invoices include pending items only when proration behavior isn't
 * always_invoice": in classic billing what was pending before goes on waiting.
 * https://docs.stripe.com/billing/subscriptions/billing-mode/compare
 */
function leftOut(world: World, subscription: SubscriptionRow, change: Change): ReadonlySet<string> {
  const { billing_mode: mode, customer } = subscription
  if (mode.type !== 'classic' || change.prorationBehavior !== 'always_invoice') return new Set()
  return new Set(world.invoiceItems.by('pending', customer).map((item) => item.id))
}

/**
 * Of a second trial: flexible billing names its own start, classic that of the first.
 * https://docs.stripe.com/billing/subscriptions/billing-mode/compare
 */
function trialStart({ billing_mode: mode, trial_start: first }: SubscriptionRow, now: number): number {
  return mode.type === 'classic' ? (first ?? now) : now
}

/** Changes items inside the running period: credit for the old, debit for the new, invoiced now or later. */
function adjust(
  world: World,
  before: SubscriptionRow,
  change: Change,
  now: number,
  at: number,
): InvoiceRow | null {
  const prorating = prorates(before, change)
  // The period that runs was billed when it began; this invoice is of what was changed since, as recorded.
  const start = Math.min(...itemsOf(world, before.id).map((item) => item.current_period_start))
  let bills = false
  const toDebit: { id: string; period: Period }[] = []
  for (const entry of change.items) {
    const old = world.subscriptionItems.get(entry.id)
    if (old !== undefined && !isChanged(old, entry)) {
      applyItem(world, before, entry, now)
      continue
    }
    const price = world.prices.must(entry.price ?? old?.own.price)
    if (
      old !== undefined &&
      !entry.deleted &&
      (changesRhythm(world, old, price.id) || becomesPaid(world, before, old, entry))
    ) {
      bills = true
    }
    if (prorating && old !== undefined) creditUnused(world, before, old, at)
    if (old !== undefined) settleUsage(world, before, old, entry, change.prorationBehavior, now)
    const item = applyItem(world, before, entry, now)
    if (item === null) continue
    const period = periodOf(before, item, price, old, now)
    world.subscriptionItems.patch(item.id, {
      current_period_start: period.start,
      current_period_end: period.end,
    })
    if (prorating && !isMetered(price)) toDebit.push({ id: item.id, period })
  }
  // Each has its share of a discount among all that are there then, in whatever order they are named.
  for (const { id, period } of toDebit) {
    debitRemaining(world, before, world.subscriptionItems.must(id), period, at)
  }
  const invoices = (change.prorationBehavior === 'always_invoice' || bills) && change.items.length > 0
  if (!invoices || before.status === 'trialing' || before.status === 'paused' || !hasPending(world, before))
    return null
  return subscriptionDraft(world, before.id, {
    reason: 'subscription_update',
    lines: [],
    period: { start, end: now },
    at: now,
    ...prorationDate(change),
  })
}

/** An item keeps its period unless its rhythm changes; a new one joins the cycle of the anchor. */
function periodOf(
  subscription: SubscriptionRow,
  item: SubscriptionItemRow,
  price: PriceRow,
  old: SubscriptionItemRow | undefined,
  now: number,
): { start: number; end: number } {
  if (subscription.status === 'trialing') {
    return { start: old?.current_period_start ?? now, end: subscription.trial_end ?? item.current_period_end }
  }
  const period = itemPeriod(subscription.billing_cycle_anchor, cycleOf(subscription, price), now)
  if (old === undefined || old.current_period_end !== period.end) return period
  return { start: old.current_period_start, end: old.current_period_end }
}

function prorates(subscription: SubscriptionRow, change: Change): boolean {
  const bills = subscription.status !== 'trialing' && subscription.status !== 'paused'
  return change.prorationBehavior !== 'none' && bills
}

/** A trial that goes on: its periods end with it, and nothing is billed. */
function moveTrial(world: World, id: string, end: number): void {
  world.subscriptions.patch(id, { trial_end: end, billing_cycle_anchor: end })
  for (const item of itemsOf(world, id)) {
    const debit = item.own.debit === null ? null : { ...item.own.debit, end }
    world.subscriptionItems.patch(item.id, { current_period_end: end, own: { ...item.own, debit } })
  }
}

/**
 * An end with the period goes with it. The two words "resolve to timestamps immediately", with the period that the same
 * request leaves; `cancel_at_period_end` follows later changes too.
 * https://docs.stripe.com/changelog/basil/2025-07-30/cancel-at-enums
 */
function moveEnd(world: World, id: string, { endsWith }: Change): void {
  const { cancel_at: before, cancel_at_period_end: atPeriodEnd } = world.subscriptions.must(id)
  const which = endsWith ?? (atPeriodEnd ? 'min_period_end' : undefined)
  if (which === undefined) return
  const ends = itemsOf(world, id).map((item) => item.current_period_end)
  const end = which === 'min_period_end' ? Math.min(...ends) : Math.max(...ends)
  if (end !== before) world.subscriptions.patch(id, { cancel_at: end })
}

function hasPending(world: World, subscription: SubscriptionRow): boolean {
  return world.invoiceItems
    .by('pending', subscription.customer)
    .some((item) => item.own.subscription === subscription.id && item.currency === subscription.currency)
}

function prorationDate(change: Change): { prorationDate?: number } {
  return change.prorationDate === undefined ? {} : { prorationDate: change.prorationDate }
}

/** An invoice of an update is finalized and collected at once. */
function bill(world: World, draft: InvoiceRow, change: Change, endsTrial: boolean): void {
  const open = finalize(world, draft.id)
  if (open.status !== 'open' || open.collection_method !== 'charge_automatically') return
  if (open.auto_advance !== true) return
  if (change.paymentBehavior === 'default_incomplete') {
    awaitPayment(world, open)
    return
  }
  // What nothing can pay does not begin, no more than a new subscription does.
  if (endsTrial && methodFor(world, open) === undefined) throw noMethod()
  const outcome = collectAndSettle(world, draft.id, { offSession: change.offSession, automatic: true })
  if ('error' in outcome && change.paymentBehavior === 'error_if_incomplete') throw unpaid(outcome)
}

/**
 * `default_incomplete` is to "transition the subscription to status=past_due when payment is required and await explicit
 * confirmation". https://docs.stripe.com/api/subscriptions/update#update_subscription-payment_behavior
 */
function awaitPayment(world: World, { own: { subscription: id } }: InvoiceRow): void {
  const { status } = world.subscriptions.must(id)
  const late = world.subscriptions.patch(id as string, {
    status: statusAfter(status, 'payment_failed') ?? status,
  })
  world.emit('customer.subscription.updated', late)
}
