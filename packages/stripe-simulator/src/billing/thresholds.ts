import type { LineRow, SubscriptionItemRow, SubscriptionRow } from '../rows.ts'
import { parseDecimal } from '../rules/decimal.ts'
import type { World } from '../world.ts'
import { isMetered, meteredItems, outstandingUsage, restartUsage, usageOf } from './metered.ts'
import { expireHeld } from './pending-update.ts'
import { cycleOf, itemPeriod, itemsOf, scheduleDue } from './periods.ts'
import { creditUnused } from './prorate.ts'
import { billItem, subscriptionDraft } from './renew.ts'

/**
 * Usage came in: subscriptions of the customer that it takes to a threshold are billed before their period
 * ends. https://docs.stripe.com/billing/subscriptions/usage-based/thresholds
 */
export function checkThresholds(world: World, customer: string): void {
  for (const subscription of world.subscriptions.by('customer', customer)) {
    const runs = subscription.status === 'active' || subscription.status === 'past_due'
    if (runs && isReached(world, subscription)) billThreshold(world, subscription)
  }
}

/** By the money that the usage since the last invoice comes to, or by the units of one item. */
function isReached(world: World, subscription: SubscriptionRow): boolean {
  const until = world.now(subscription.own.clock) + 1
  const most = subscription.billing_thresholds?.amount_gte
  const units = meteredItems(world, subscription.id).some((item) => {
    const enough = item.billing_thresholds?.usage_gte
    if (enough == null) return false
    return parseDecimal(usageOf(world, subscription, item, until)) >= parseDecimal(String(enough))
  })
  if (units || most == null) return units
  const lines = outstandingUsage(world, subscription, until)
  return lines.reduce((sum, line) => sum + line.amount, 0) >= most
}

/** What was used with this second is billed, and counts anew; the cycle begins anew where that is wanted. */
function billThreshold(world: World, { id }: SubscriptionRow): void {
  expireHeld(world, id)
  const subscription = world.subscriptions.must(id)
  const now = world.now(subscription.own.clock)
  const start = Math.min(...itemsOf(world, id).map((item) => item.current_period_start))
  const usage = outstandingUsage(world, subscription, now + 1)
  for (const item of meteredItems(world, id)) restartUsage(world, item, now + 1)
  const resets = subscription.billing_thresholds?.reset_billing_cycle_anchor === true
  const lines = resets ? [...restart(world, id, now), ...usage] : usage
  subscriptionDraft(world, id, {
    reason: 'subscription_threshold',
    lines,
    period: { start, end: now },
    at: now,
    waits: true,
  })
  const billed = world.subscriptions.must(id)
  scheduleDue(world, billed)
  world.emit('customer.subscription.updated', billed)
}

/** A whole new period from now on; what is left of what was paid in advance is credited. */
function restart(world: World, id: string, now: number): LineRow[] {
  const subscription = world.subscriptions.patch(id, { billing_cycle_anchor: now })
  return itemsOf(world, id).flatMap((item: SubscriptionItemRow) => {
    const price = world.prices.must(item.own.price)
    const period = itemPeriod(now, cycleOf(subscription, price), now)
    if (!isMetered(price)) {
      creditUnused(world, subscription, item, now)
      return billItem(world, subscription, item, period)
    }
    world.subscriptionItems.patch(item.id, {
      current_period_start: period.start,
      current_period_end: period.end,
    })
    return []
  })
}
