import type { Instant } from '@lockstep/core/instant'
import type { Currency } from '@lockstep/core/money'
import type { Period } from '@lockstep/core/period'
import type { PriceRhythm } from '@lockstep/core/price-rhythm'
import { quantityOfItems } from '@lockstep/core/quantity-of-items'
import { type SubscriptionStatus, subscriptionStatuses } from '@lockstep/core/subscription'
import type { Collection } from '@lockstep/core/subscription-history'
import type Stripe from 'stripe'
import type { MeteredItem } from '../../store/provider-usage.ts'
import { idOf, idOrNull, type OwnReference, ownReference, present } from './field.ts'
import { isMetered, rhythmOf } from './to-price.ts'

export interface ObservedSubscriptionItem {
  readonly providerId: string
  readonly price: string
  readonly product: string
  /** How often its price is billed, and in what. */
  readonly rhythm: PriceRhythm
  /** Stripe's own meters count what its price is for. */
  readonly isMetered: boolean
  /** Null of a metered price, which does not come by number. */
  readonly quantity: number | null
  readonly period: Period
  /** Ids of the discounts that are taken off it alone, in the order in which they are applied. */
  readonly discounts: readonly string[]
}

export interface ObservedSubscription {
  readonly providerId: string
  readonly livemode: boolean
  readonly customer: string
  /** Undefined for a status that we do not know yet: keep what is known, and tell somebody. */
  readonly status: SubscriptionStatus | undefined
  readonly currency: Currency
  readonly items: readonly ObservedSubscriptionItem[]
  /** What Stripe's own meters count of it, by the item's id. */
  readonly meteredItems: readonly MeteredItem[]
  /** Of the items that come by number; 1 where none does. */
  readonly quantity: number
  readonly billingCycleAnchor: Instant
  readonly currentPeriod: Period
  readonly trial: Period | null
  readonly cancelAt: Instant | null
  readonly cancelAtPeriodEnd: boolean
  readonly canceledAt: Instant | null
  readonly endedAt: Instant | null
  readonly startedAt: Instant
  readonly createdAt: Instant
  readonly collection: Collection
  readonly collectionResumesAt: Instant | null
  /** `cancellation_requested`, `payment_failed`, …; null while nobody ends it. */
  readonly cancellationReason: string | null
  readonly latestInvoice: string | null
  readonly defaultPaymentMethod: string | null
  /** Ids of its own discounts, in the order in which they are applied. */
  readonly discounts: readonly string[]
  /** What changes it by itself later on. */
  readonly schedule: string | null
  readonly testClock: string | null
  readonly own: OwnReference
}

/**
 * Stripe's subscription as ours. Since 2025-03-31 periods stand on the items; the subscription's own
 * are read where an older rendering still has them.
 */
export function toSubscription(subscription: Stripe.Subscription): ObservedSubscription {
  const trialStart = present(subscription.trial_start, 'trial_start')
  const trialEnd = present(subscription.trial_end, 'trial_end')
  const list = present(subscription.items, 'items')
  // A nested list stops at ten; fetchSubscription completes it.
  if (list.has_more) throw new Error(`Stripe's answer has only some of the items of ${subscription.id}.`)
  const items = list.data.map((item) => toItem(item, subscription))
  return {
    providerId: subscription.id,
    livemode: present(subscription.livemode, 'livemode'),
    customer: idOf(present(subscription.customer, 'customer')),
    status: subscriptionStatuses.find((status) => status === subscription.status),
    currency: present(subscription.currency, 'currency'),
    items,
    meteredItems: meteredOf(items),
    quantity: quantityOfItems(items),
    billingCycleAnchor: present(subscription.billing_cycle_anchor, 'billing_cycle_anchor'),
    currentPeriod: currentPeriod(items, subscription),
    trial: trialStart === null || trialEnd === null ? null : { start: trialStart, end: trialEnd },
    cancelAt: present(subscription.cancel_at, 'cancel_at'),
    cancelAtPeriodEnd: present(subscription.cancel_at_period_end, 'cancel_at_period_end'),
    canceledAt: present(subscription.canceled_at, 'canceled_at'),
    endedAt: present(subscription.ended_at, 'ended_at'),
    startedAt: present(subscription.start_date, 'start_date'),
    createdAt: present(subscription.created, 'created'),
    discounts: (subscription.discounts ?? []).map(idOf),
    collection: collectionOf(subscription.pause_collection),
    collectionResumesAt: subscription.pause_collection?.resumes_at ?? null,
    cancellationReason: subscription.cancellation_details?.reason ?? null,
    latestInvoice: idOrNull(subscription.latest_invoice, 'latest_invoice'),
    defaultPaymentMethod: idOrNull(subscription.default_payment_method, 'default_payment_method'),
    schedule: idOrNull(subscription.schedule ?? null, 'schedule'),
    testClock: idOrNull(subscription.test_clock ?? null, 'test_clock'),
    own: ownReference(present(subscription.metadata, 'metadata')),
  }
}

/** A way to pause that we do not know yet collects nothing either: as if invoices were left as drafts. */
function collectionOf(pause: Stripe.Subscription['pause_collection']): Collection {
  if (pause === null) return 'charging'
  if (pause.behavior === 'mark_uncollectible') return 'markUncollectible'
  return pause.behavior === 'void' ? 'void' : 'keepAsDraft'
}

function meteredOf(items: readonly ObservedSubscriptionItem[]): MeteredItem[] {
  return items
    .filter((item) => item.isMetered)
    .map(({ providerId: item, price, period: { end } }) => ({ item, price, end }))
    .sort((a, b) => (a.item < b.item ? -1 : 1))
}

function toItem(item: Stripe.SubscriptionItem, subscription: Stripe.Subscription): ObservedSubscriptionItem {
  const price = present(item.price, 'items.price')
  return {
    providerId: item.id,
    price: price.id,
    product: idOf(price.product),
    rhythm: rhythmOf(price),
    isMetered: isMetered(price),
    quantity: item.quantity ?? null,
    discounts: (item.discounts ?? []).map(idOf),
    period:
      periodOf(item) ?? periodOf(subscription) ?? present<Period>(undefined, 'items.current_period_start'),
  }
}

/**
 * One period for the subscription: the one that ends first. All items of ours have the same; a subscription made elsewhere may mix
 * intervals, and where the last month of a year ends with it, that month is the period. Of items that are paid alike the first says it:
 * one that is added in a trial has begun later.
 */
function currentPeriod(
  items: readonly ObservedSubscriptionItem[],
  subscription: Stripe.Subscription,
): Period {
  const own = periodOf(subscription)
  const isTrial = subscription.status === 'trialing'
  const first = items.reduce<ObservedSubscriptionItem | undefined>(
    (a, b) => (a && !endsBefore(b, a) && (isTrial || !isPartOf(b, a)) ? a : b),
    undefined,
  )
  const period = own && (!first || own.end <= first.period.end) ? own : first?.period
  return present(period, 'items.current_period_end')
}

const endsBefore = (a: ObservedSubscriptionItem, b: ObservedSubscriptionItem) => a.period.end < b.period.end

/** In another rhythm, and begun within a period that ends with it. */
const isPartOf = (a: ObservedSubscriptionItem, b: ObservedSubscriptionItem) =>
  a.period.end === b.period.end &&
  a.period.start > b.period.start &&
  (a.rhythm.interval !== b.rhythm.interval || a.rhythm.intervalCount !== b.rhythm.intervalCount)

function periodOf(object: object): Period | undefined {
  if (!('current_period_start' in object && 'current_period_end' in object)) return undefined
  const { current_period_start: start, current_period_end: end } = object
  return typeof start === 'number' && typeof end === 'number' ? { start, end } : undefined
}
