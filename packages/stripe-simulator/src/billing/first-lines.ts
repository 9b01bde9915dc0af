import { invalid } from '../errors.ts'
import type { LineRow, SubscriptionItemRow, SubscriptionRow } from '../rows.ts'
import { boundary, type Rhythm } from '../rules/billing-cycle.ts'
import { roundPicos } from '../rules/decimal.ts'
import { priceParts } from '../rules/pricing.ts'
import type { Period } from '../rules/proration.ts'
import type { World } from '../world.ts'
import type { NewSubscription } from './create.ts'
import { itemLine } from './lines.ts'
import { isMetered } from './metered.ts'
import { cycleOf, itemPeriod, itemPicos, termsOf } from './periods.ts'
import { billItem } from './renew.ts'

const LINES_MAX = 250

/**
 * What the first invoice bills of an item, and its first period: to the end of a trial, to a future anchor
 * (cut short), to a planned end, or a whole one. A backdated start bills the time that has passed as well.
 */
export function firstLines(
  world: World,
  subscription: SubscriptionRow,
  item: SubscriptionItemRow,
  given: NewSubscription,
): LineRow[] {
  const now = subscription.created
  const rhythm = cycleOf(subscription, world.prices.must(item.own.price))
  const anchor = subscription.billing_cycle_anchor
  if (given.trialEnd !== null) {
    return billItem(world, subscription, item, { start: now, end: given.trialEnd })
  }
  if (anchor > boundary(now, rhythm, 1)) {
    throw invalid(
      'billing_cycle_anchor cannot be later than next natural billing date for plan.',
      'billing_cycle_anchor',
    )
  }
  if (given.start < now) return backdatedLines(world, subscription, item, rhythm, given)
  const period = itemPeriod(anchor, rhythm, now)
  const cut = truncated(period, subscription, given)
  if (cut !== null) return billCut(world, subscription, item, cut, period)
  const lines = billItem(world, subscription, item, period)
  // With `none` nothing is billed for the time before the anchor.
  const free = period.end === anchor && anchor > now && given.prorationBehavior === 'none'
  return free ? forget(world, item) : lines
}

/** Nothing was debited for the item's period, so that nothing of it is ever credited. */
function forget(world: World, item: SubscriptionItemRow): LineRow[] {
  const { own } = world.subscriptionItems.must(item.id)
  world.subscriptionItems.patch(item.id, { own: { ...own, debit: null } })
  return []
}

/**
 * An end planned inside the first period shortens what is billed of it; flexible billing does without when
 * nothing is to be prorated. https://docs.stripe.com/billing/subscriptions/billing-mode/compare
 */
function truncated(
  period: Period,
  { billing_mode: mode }: SubscriptionRow,
  given: NewSubscription,
): Period | null {
  const { cancelAt, prorationBehavior } = given
  if (typeof cancelAt !== 'number' || cancelAt >= period.end) return null
  if (mode.type === 'flexible' && prorationBehavior === 'none') return null
  return { start: period.start, end: cancelAt }
}

/** Bills a part of a whole period, by the second, and makes the part the item's period. */
function billCut(
  world: World,
  subscription: SubscriptionRow,
  item: SubscriptionItemRow,
  cut: Period,
  whole: Period,
): LineRow[] {
  if (isMetered(world.prices.must(item.own.price))) return billItem(world, subscription, item, cut)
  billItem(world, subscription, item, cut)
  const line = partLine(world, subscription, world.subscriptionItems.must(item.id), cut, whole)
  const billed = world.subscriptionItems.must(item.id)
  const debit = {
    start: cut.start,
    end: cut.end,
    amount: line.amount,
    invoiceItem: null,
    invoice: null,
    line: line.id,
  }
  world.subscriptionItems.patch(item.id, { own: { ...billed.own, debit } })
  return [line]
}

/** One line for a stretch, priced as its part of a whole interval, rounded once. */
function partLine(
  world: World,
  subscription: SubscriptionRow,
  item: SubscriptionItemRow,
  period: Period,
  whole: Period,
): LineRow {
  const picos = itemPicos(world, item, subscription.currency) * BigInt(period.end - period.start)
  const amount = roundPicos(picos / BigInt(whole.end - whole.start))
  const [part = null] = priceParts(
    termsOf(world.prices.must(item.own.price), subscription.currency),
    item.quantity ?? 1,
  )
  const quantity = String(item.quantity ?? 1)
  return itemLine(world, {
    subscription,
    item,
    amount,
    period,
    part: part && { ...part, tier: null },
    quantity,
  })
}

/**
 * The time since a backdated start. Flexible billing makes the lines that regular billing would have made,
 * one for each period; classic makes one, by an imagined interval that begins with the start.
 * https://docs.stripe.com/billing/subscriptions/backdating
 */
function backdatedLines(
  world: World,
  subscription: SubscriptionRow,
  item: SubscriptionItemRow,
  rhythm: Rhythm,
  given: NewSubscription,
): LineRow[] {
  const now = subscription.created
  const free = given.prorationBehavior === 'none'
  if (subscription.billing_mode.type === 'classic') {
    return classicBackdated(world, subscription, item, rhythm, given)
  }
  const lines: LineRow[] = []
  let at = given.start
  while (at <= now) {
    const period = itemPeriod(subscription.billing_cycle_anchor, rhythm, at)
    const billed = billItem(world, subscription, world.subscriptionItems.must(item.id), period)
    // Regular billing would bill the period that is running as well, which has also begun in the past.
    if (!free) lines.unshift(...billed)
    at = period.end
    if (lines.length > LINES_MAX) {
      throw invalid(`Backdating makes more than ${LINES_MAX} line items.`, 'backdate_start_date')
    }
  }
  return free ? forget(world, item) : lines
}

function classicBackdated(
  world: World,
  subscription: SubscriptionRow,
  item: SubscriptionItemRow,
  rhythm: Rhythm,
  given: NewSubscription,
): LineRow[] {
  const now = subscription.created
  const anchor = subscription.billing_cycle_anchor
  const elapsed = { start: given.start, end: Math.max(now, anchor) }
  const free = given.prorationBehavior === 'none'
  const metered = isMetered(world.prices.must(item.own.price))
  const imagined = { start: given.start, end: boundary(given.start, rhythm, 1) }
  const past = free || metered ? [] : [partLine(world, subscription, item, elapsed, imagined)]
  // The item stands at the end of what has passed; up to a future anchor that is its first period.
  const entered = world.subscriptionItems.patch(item.id, { current_period_end: Math.min(now, elapsed.end) })
  if (anchor > now) {
    const lines = billItem(world, subscription, entered, { start: now, end: anchor })
    return metered ? lines : past
  }
  return [...billItem(world, subscription, entered, itemPeriod(anchor, rhythm, now)), ...past]
}
