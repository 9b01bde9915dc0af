import type { InvoiceRow, SubscriptionRow } from '../rows.ts'
import type { World } from '../world.ts'
import { endTakenOff } from './discounts.ts'
import { hold, showHeld } from './hold.ts'
import { finalize } from './invoices.ts'
import { applyHeld, replaceHeld, stateOf } from './pending-update.ts'
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
    hold(world, before, stateOf(world, id), draft, 'update')
    collectHeld(world, id, draft, change)
  }
  endTakenOff(world, id)
  const changed = world.subscriptions.must(id)
  scheduleDue(world, changed)
  world.emit('customer.subscription.updated', changed)
  return draft
}

function collectHeld(world: World, id: string, draft: InvoiceRow, change: Change): void {
  const shown = world.subscriptions.must(id).own.held?.items.map((item) => world.render(item)) ?? null
  const open = finalize(world, draft.id)
  if (open.status === 'paid') applyHeld(world, world.subscriptions.must(id), open)
  else collectAndSettle(world, draft.id, { offSession: change.offSession, automatic: false })
  const subscription = world.subscriptions.must(id)
  if (subscription.own.held == null) return
  showHeld(
    world,
    id,
    expiry(world, subscription),
    change.items.length === 0 ? null : shown,
    change.trialFromPlan ?? null,
  )
}

/** "The first occurrence of either the trial end or the earliest period end", and 23 hours at most. */
function expiry(world: World, subscription: SubscriptionRow): number {
  const now = world.now(subscription.own.clock)
  const ends = itemsOf(world, subscription.id).map((item) => item.current_period_end)
  const trial = subscription.status === 'trialing' ? subscription.trial_end : null
  return Math.min(now + PENDING_SECONDS, ...ends, trial ?? Number.POSITIVE_INFINITY)
}
