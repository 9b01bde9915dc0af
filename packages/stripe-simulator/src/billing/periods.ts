import type { PriceRow, SubscriptionItemRow, SubscriptionRow } from '../rows.ts'
import { periodAt, type Rhythm } from '../rules/billing-cycle.ts'
import { divideRounded, PICOS } from '../rules/decimal.ts'
import { type PriceTerms, pricePicos } from '../rules/pricing.ts'
import type { Period } from '../rules/proration.ts'
import type { World } from '../world.ts'
import { schedulePendingItems } from './pending-interval.ts'

/** The rhythm of a price in a subscription, which may remember the 31st though its anchor is shorter. */
export function cycleOf(subscription: SubscriptionRow, price: PriceRow): Rhythm {
  const day = subscription.billing_cycle_anchor_config?.day_of_month
  return day === undefined ? rhythmOf(price) : { ...rhythmOf(price), day }
}

export function rhythmOf(price: PriceRow): Rhythm {
  if (price.recurring === null) throw new Error(`${price.id} is not recurring`)
  return price.recurring
}

/** What the price costs in a currency: its own, or one of its `currency_options`. */
export function termsOf(price: PriceRow, currency = price.currency): PriceTerms {
  if (currency === price.currency) {
    return price.own.tiers === undefined ? price : { ...price, tiers: price.own.tiers }
  }
  const option = price.own.currencies?.[currency]
  if (option === undefined) throw new Error(`${price.id} costs nothing in ${currency}`)
  return { ...price, unit_amount_decimal: option.unit_amount_decimal ?? null, tiers: option.tiers }
}

/** Whether a price can be billed in a currency. */
export function isPricedIn(price: PriceRow, currency: string): boolean {
  return price.currency === currency || price.own.currencies?.[currency] !== undefined
}

/** The currencies that a price has an amount in, its own first. */
export function currenciesOf(price: PriceRow): string[] {
  return [price.currency, ...Object.keys(price.own.currencies ?? {})]
}

/** The exact price of an item for a whole period, in picos of the minor unit. */
export function itemPicos(
  world: World,
  item: { own: { price: string }; quantity?: number | undefined },
  currency: string,
): bigint {
  const price = world.prices.must(item.own.price)
  // Usage is billed in arrears and has no price for a period to come.
  if (price.recurring?.usage_type === 'metered') return 0n
  return pricePicos(termsOf(price, currency), item.quantity ?? 1)
}

/** What a period of items costs, before anything is taken off. Usage is not known beforehand and counts nothing. */
export function worthOf(
  world: World,
  items: readonly { readonly price: string; readonly quantity: number | undefined }[],
  currency: string,
): number {
  const picos = items.map(({ price, quantity }) => itemPicos(world, { own: { price }, quantity }, currency))
  return picos.reduce((sum, one) => sum + Number(divideRounded(one, PICOS)), 0)
}

/**
 * The period that an item is in at `at`. Before the anchor (a first period cut short) it ends at the
 * anchor; otherwise it is the anchor's cycle.
 */
export function itemPeriod(anchor: number, rhythm: Rhythm, at: number): Period {
  return at < anchor ? { start: at, end: anchor } : periodAt(anchor, rhythm, at)
}

/** What a whole or cut-short period costs: the price, to the second, rounded once. */
export function periodAmount(picos: bigint, anchor: number, rhythm: Rhythm, period: Period): number {
  const whole = periodAt(anchor, rhythm, period.start)
  if (whole.start === period.start && whole.end === period.end) return Number(divideRounded(picos, PICOS))
  const length = BigInt(whole.end - whole.start)
  return Number(divideRounded(picos * BigInt(period.end - period.start), length * PICOS))
}

/** Items in the order they were added. */
export function itemsOf(world: World, subscription: string): SubscriptionItemRow[] {
  return world.subscriptionItems.by('subscription', subscription)
}

/** The earliest moment at which the subscription must be looked at again. */
export function scheduleDue(world: World, subscription: SubscriptionRow): void {
  const { id, own, status } = subscription
  const ended = status === 'canceled' || status === 'incomplete_expired'
  const idle = ended || status === 'paused' || status === 'incomplete'
  const moments: number[] = []
  if (!ended && subscription.cancel_at !== null) moments.push(subscription.cancel_at)
  if (!ended && subscription.pause_collection?.resumes_at != null) {
    moments.push(subscription.pause_collection.resumes_at)
  }
  let renewal: number | null = null
  if (!idle) {
    for (const item of itemsOf(world, id)) {
      if (renewal === null || item.current_period_end < renewal) renewal = item.current_period_end
    }
    if (renewal !== null) moments.push(renewal)
  }
  world.alarm('subscription.due', id, own.clock, moments.length === 0 ? null : Math.min(...moments))
  schedulePendingItems(world, subscription)
  scheduleNotices(world, subscription, renewal)
}

/** `invoice.upcoming` some days before a renewal, `trial_will_end` three days before the end of a trial. */
function scheduleNotices(world: World, subscription: SubscriptionRow, renewal: number | null): void {
  const { id, own } = subscription
  const now = world.now(own.clock)
  const days = world.settings.upcomingDays
  const upcoming = renewal === null || days === null ? null : renewal - days * 86_400
  const wanted =
    upcoming !== null && upcoming > now && subscription.collection_method === 'charge_automatically'
  world.alarm('subscription.upcoming', id, own.clock, wanted ? upcoming : null)
  const warning =
    subscription.status === 'trialing' && subscription.trial_end !== null
      ? subscription.trial_end - 3 * 86_400
      : null
  world.alarm(
    'subscription.trial_will_end',
    id,
    own.clock,
    warning !== null && warning > now ? warning : null,
  )
}
