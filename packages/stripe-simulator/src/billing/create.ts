import { StripeError } from '../errors.ts'
import type { InvoiceRow, LineRow, SubscriptionItemRow, SubscriptionRow } from '../rows.ts'
import { moved } from '../rules/subscription-status.ts'
import type { World } from '../world.ts'
import { noMethod } from './collect.ts'
import { firstLines } from './first-lines.ts'
import { finalize } from './invoices.ts'
import { meteredItems } from './metered.ts'
import { methodFor } from './methods.ts'
import { hasPending } from './pending.ts'
import { itemsOf, scheduleDue } from './periods.ts'
import { subscriptionDraft } from './renew.ts'
import { setUpForLater } from './set-up.ts'
import { collectAndSettle } from './settle.ts'

const HOUR = 3600

export interface NewItem {
  readonly price: string
  /** Undefined for a metered price. */
  readonly quantity: number | undefined
  readonly metadata: Record<string, string>
  readonly taxRates?: SubscriptionItemRow['tax_rates'] | undefined
  readonly discounts?: readonly string[] | undefined
  readonly thresholds?: SubscriptionItemRow['billing_thresholds'] | undefined
}

export interface NewSubscription {
  readonly row: Omit<SubscriptionRow, 'id' | 'object' | 'status' | 'own'>
  readonly clock: string | null
  readonly items: readonly NewItem[]
  /** Where it begins; earlier than its creation when it is backdated. */
  readonly start: number
  readonly trialEnd: number | null
  /** A planned end: a moment, or with the first or last of the items' periods. */
  readonly cancelAt: number | 'min_period_end' | 'max_period_end' | null
  readonly paymentBehavior: string
  readonly prorationBehavior: string
  readonly offSession: boolean
  /** Makes what the first invoice bills once, when the periods are known. */
  readonly extras: (subscription: string) => void
  /** Begun by a schedule: active at once, its first invoice waits as a renewal's does. */
  readonly scheduled?: boolean
}

/**
 * Starts a subscription. With automatic collection the first invoice is finalized and collected before
 * this returns. https://docs.stripe.com/billing/subscriptions/overview
 */
export function createSubscription(world: World, given: NewSubscription): SubscriptionRow {
  const id = world.ids.next('sub')
  const trial = given.trialEnd !== null
  const subscription = world.subscriptions.insert({
    ...given.row,
    id,
    object: 'subscription',
    status: trial ? 'trialing' : 'active',
    own: {
      clock: given.clock,
      firstInvoice: null,
      creating: true,
      proratesEnd: given.prorationBehavior !== 'none',
    },
  })
  for (const discount of subscription.discounts) world.discounts.patch(discount, { subscription: id })
  const now = given.row.created
  for (const item of given.items) addItem(world, subscription, item, given.start, now)
  const lines = itemsOf(world, id)
    .map((item) => firstLines(world, subscription, item, given))
    .reverse()
  given.extras(id)
  planEnd(world, id, given.cancelAt)
  const draft = firstDraft(world, world.subscriptions.must(id), lines.flat(), given)
  if (draft !== null && !world.preview && given.scheduled !== true) startCollection(world, id, draft, given)
  if (!world.preview && given.scheduled !== true) setUpForLater(world, id, given.paymentBehavior)
  const created = world.subscriptions.must(id)
  const started = world.subscriptions.patch(id, { own: { ...created.own, creating: false } })
  scheduleDue(world, started)
  world.emit('customer.subscription.created', started)
  if (started.status === 'trialing' && (given.trialEnd ?? 0) - now <= 3 * 24 * HOUR) {
    world.emit('customer.subscription.trial_will_end', started)
  }
  return started
}

function planEnd(world: World, id: string, at: NewSubscription['cancelAt']): void {
  if (at === null) return
  const ends = itemsOf(world, id).map((item) => item.current_period_end)
  const cancelAt =
    at === 'min_period_end' ? Math.min(...ends) : at === 'max_period_end' ? Math.max(...ends) : at
  world.subscriptions.patch(id, { cancel_at: cancelAt })
}

/**
 * The first invoice. With flexible billing there is none where nothing but usage is sold, which is billed in
 * arrears. https://docs.stripe.com/billing/subscriptions/billing-mode/compare
 */
function firstDraft(
  world: World,
  subscription: SubscriptionRow,
  lines: readonly LineRow[],
  given: NewSubscription,
): InvoiceRow | null {
  const { id, created: at } = subscription
  const onlyUsage = meteredItems(world, id).length === given.items.length
  const flexible = subscription.billing_mode.type === 'flexible'
  if (flexible && onlyUsage && lines.length === 0 && !hasPending(world, subscription)) return null
  return subscriptionDraft(world, id, {
    reason: 'subscription_create',
    lines,
    period: { start: at, end: at },
    at,
    waits: subscription.collection_method === 'send_invoice' || given.scheduled === true,
  })
}

function startCollection(world: World, id: string, draft: InvoiceRow, given: NewSubscription): void {
  const subscription = world.subscriptions.must(id)
  if (subscription.collection_method === 'send_invoice') return
  if (draft.amount_due > 0) {
    world.subscriptions.patch(id, {
      ...moved(subscription, 'first_payment_due'),
      own: { ...subscription.own, firstInvoice: draft.id },
    })
  }
  const open = finalize(world, draft.id)
  if (open.status !== 'open') return
  if (given.paymentBehavior !== 'default_incomplete') {
    if (methodFor(world, open) === undefined) throw noMethod()
    const outcome = collectAndSettle(world, draft.id, { offSession: given.offSession, automatic: false })
    if ('error' in outcome && given.paymentBehavior === 'error_if_incomplete') {
      throw unpaid(outcome)
    }
  }
  if (world.subscriptions.must(id).status !== 'incomplete') return
  world.alarm('subscription.expire', id, given.clock, subscription.created + 23 * HOUR)
}

/**
 * What `error_if_incomplete` says of a payment that did not come about. Nothing is kept that the card's holder could
 * complete. https://docs.stripe.com/error-codes#subscription-payment-intent-requires-action
 */
export function unpaid({
  result,
  error,
}: {
  readonly result: string
  readonly error: StripeError
}): StripeError {
  if (result !== 'requires_action') return refusedWhole(error)
  return new StripeError(402, {
    type: 'card_error',
    code: 'subscription_payment_intent_requires_action',
    message:
      "Payment for this subscription requires additional user action, but the requested payment behavior doesn't save the invoice or PaymentIntent. Retry the request with `payment_behavior=allow_incomplete` or `payment_behavior=default_incomplete`, then complete the PaymentIntent on the subscription's latest invoice. Additional information is available here: https://stripe.com/docs/billing/subscriptions/overview#requires-action",
  })
}

/** The same refusal, but everything is taken back: nothing was created or changed. */
export function refusedWhole<E extends { status: number; body: object }>(error: E): E {
  return Object.assign(error, { keep: false })
}

/** An item without a period yet; usage counts from `start`. */
export function addItem(
  world: World,
  subscription: SubscriptionRow,
  item: NewItem,
  start: number,
  created: number,
): SubscriptionItemRow {
  const id = world.ids.next('si', 14)
  for (const discount of item.discounts ?? []) {
    world.discounts.patch(discount, { subscription: subscription.id, subscription_item: id })
  }
  return world.subscriptionItems.insert({
    id,
    object: 'subscription_item',
    billing_thresholds: item.thresholds ?? null,
    created,
    current_period_start: start,
    current_period_end: start,
    current_trial: null,
    discounts: [...(item.discounts ?? [])],
    metadata: item.metadata,
    ...(item.quantity === undefined ? {} : { quantity: item.quantity }),
    subscription: subscription.id,
    tax_rates: item.taxRates ?? [],
    own: { clock: subscription.own.clock, price: item.price, debit: null, sequence: 0, usageFrom: start },
  })
}
