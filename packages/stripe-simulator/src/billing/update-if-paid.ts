import type { InvoiceRow, SubscriptionRow } from '../rows.ts'
import type { World } from '../world.ts'
import { finalize } from './invoices.ts'
import {
  applyHeld,
  changedFields,
  type HeldUpdate,
  replaceHeld,
  replaceItems,
  type SubscriptionState,
  stateOf,
} from './pending-update.ts'
import { itemsOf, scheduleDue } from './periods.ts'
import { collectAndSettle } from './settle.ts'
import { applyChange, type Change, updateSubscription } from './update.ts'

const PENDING_SECONDS = 23 * 3600

/** Changes a subscription, at once or, with `pending_if_incomplete`, when the invoice of the change is paid. */
export function changeSubscription(world: World, id: string, change: Change): InvoiceRow | null {
  return change.paymentBehavior === 'pending_if_incomplete'
    ? updateIfPaid(world, id, change)
    : updateSubscription(world, id, change)
}

/**
 * Bills a change and makes it only if that is paid. Otherwise the subscription goes on as it was, shows what
 * is pending, and the open invoice decides. A change that bills nothing is made at once.
 * https://docs.stripe.com/billing/subscriptions/pending-updates
 */
function updateIfPaid(world: World, id: string, change: Change): InvoiceRow | null {
  replaceHeld(world, id)
  const before = stateOf(world, id)
  const draft = applyChange(world, id, change)
  if (draft !== null) {
    hold(world, before, stateOf(world, id), draft)
    collectHeld(world, id, draft, change)
  }
  const changed = world.subscriptions.must(id)
  scheduleDue(world, changed)
  world.emit('customer.subscription.updated', changed)
  return draft
}

/** Everything is as it was before, with what the change would make of it put aside. */
function hold(world: World, before: SubscriptionState, after: SubscriptionState, draft: InvoiceRow): void {
  const { row } = before
  const held: HeldUpdate = {
    invoice: draft.id,
    fields: changedFields(row, after.row),
    items: after.items,
  }
  world.subscriptions.patch(row.id, { ...row, latest_invoice: draft.id, own: { ...row.own, held } })
  replaceItems(world, row.id, before.items)
}

function collectHeld(world: World, id: string, draft: InvoiceRow, change: Change): void {
  const shown = world.subscriptions.must(id).own.held?.items.map((item) => world.render(item)) ?? null
  const open = finalize(world, draft.id)
  if (open.status === 'paid') applyHeld(world, world.subscriptions.must(id), open)
  else collectAndSettle(world, draft.id, { offSession: change.offSession, automatic: false })
  const subscription = world.subscriptions.must(id)
  const held = subscription.own.held
  if (held == null) return
  const expires = expiry(world, subscription)
  world.alarm('subscription.pending_update', id, subscription.own.clock, expires)
  world.subscriptions.patch(id, {
    pending_update: {
      billing_cycle_anchor: held.fields.billing_cycle_anchor ?? null,
      cancel_at_period_end: held.fields.cancel_at_period_end ?? null,
      discount: null,
      discounts: held.fields.discounts ?? null,
      expires_at: expires,
      metadata: held.fields.metadata ?? null,
      subscription_items: change.items.length === 0 ? null : shown,
      trial_end: held.fields.trial_end ?? null,
      trial_from_plan: change.trialFromPlan ?? null,
    } as unknown as SubscriptionRow['pending_update'],
  })
}

/** "The first occurrence of either the trial end or the earliest period end", and 23 hours at most. */
function expiry(world: World, subscription: SubscriptionRow): number {
  const now = world.now(subscription.own.clock)
  const ends = itemsOf(world, subscription.id).map((item) => item.current_period_end)
  const trial = subscription.status === 'trialing' ? subscription.trial_end : null
  return Math.min(now + PENDING_SECONDS, ...ends, trial ?? Number.POSITIVE_INFINITY)
}
