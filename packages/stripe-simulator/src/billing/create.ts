import { invalid } from '../errors.ts'
import type { InvoiceRow, LineRow, SubscriptionItemRow, SubscriptionRow } from '../rows.ts'
import { boundary } from '../rules/billing-cycle.ts'
import type { World } from '../world.ts'
import { noMethod } from './collect.ts'
import { finalize } from './invoices.ts'
import { meteredItems } from './metered.ts'
import { methodFor } from './methods.ts'
import { hasPending } from './pending.ts'
import { itemPeriod, itemsOf, rhythmOf, scheduleDue } from './periods.ts'
import { billItem, subscriptionDraft } from './renew.ts'
import { collectAndSettle } from './settle.ts'

const HOUR = 3600

export interface NewItem {
  readonly price: string
  /** Undefined for a metered price. */
  readonly quantity: number | undefined
  readonly metadata: Record<string, string>
  readonly taxRates?: SubscriptionItemRow['tax_rates'] | undefined
}

export interface NewSubscription {
  readonly row: Omit<SubscriptionRow, 'id' | 'object' | 'status' | 'own'>
  readonly clock: string | null
  readonly items: readonly NewItem[]
  readonly trialEnd: number | null
  readonly paymentBehavior: string
  readonly prorationBehavior: string
  readonly offSession: boolean
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
  for (const item of given.items) addItem(world, subscription, item, now, now)
  const lines = itemsOf(world, id)
    .map((item) => firstLines(world, subscription, item, given))
    .reverse()
  const draft = firstDraft(world, subscription, lines.flat(), given)
  if (draft !== null && !world.preview && given.scheduled !== true) startCollection(world, id, draft, given)
  const created = world.subscriptions.must(id)
  const started = world.subscriptions.patch(id, { own: { ...created.own, creating: false } })
  scheduleDue(world, started)
  world.emit('customer.subscription.created', started)
  if (trial && (given.trialEnd ?? 0) - now <= 3 * 24 * HOUR) {
    world.emit('customer.subscription.trial_will_end', started)
  }
  return started
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
  if (flexible && onlyUsage && !hasPending(world, subscription)) return null
  return subscriptionDraft(world, id, {
    reason: 'subscription_create',
    lines,
    period: { start: at, end: at },
    at,
    waits: subscription.collection_method === 'send_invoice' || given.scheduled === true,
  })
}

/** The first period of an item: to the trial's end, to a future anchor (cut short), or a whole one. */
function firstLines(
  world: World,
  subscription: SubscriptionRow,
  item: SubscriptionItemRow,
  given: NewSubscription,
) {
  const now = subscription.created
  const rhythm = rhythmOf(world.prices.must(item.own.price))
  const anchor = subscription.billing_cycle_anchor
  if (anchor > boundary(now, rhythm, 1) && given.trialEnd === null) {
    throw invalid(
      'billing_cycle_anchor cannot be later than next natural billing date for plan.',
      'billing_cycle_anchor',
    )
  }
  const period = itemPeriod(anchor, rhythm, now)
  const lines = billItem(world, subscription, item, period)
  // With `none` nothing is billed for the time before the anchor.
  return period.end === anchor &&
    anchor > now &&
    given.trialEnd === null &&
    given.prorationBehavior === 'none'
    ? []
    : lines
}

function startCollection(world: World, id: string, draft: InvoiceRow, given: NewSubscription): void {
  const subscription = world.subscriptions.must(id)
  if (subscription.collection_method === 'send_invoice') return
  if (draft.amount_due > 0) {
    world.subscriptions.patch(id, {
      status: 'incomplete',
      own: { ...subscription.own, firstInvoice: draft.id },
    })
  }
  const open = finalize(world, draft.id)
  if (open.status !== 'open') return
  if (given.paymentBehavior !== 'default_incomplete') {
    if (methodFor(world, open) === undefined) throw noMethod()
    const outcome = collectAndSettle(world, draft.id, { offSession: given.offSession, automatic: false })
    if (outcome.result !== 'paid' && given.paymentBehavior === 'error_if_incomplete') {
      throw refusedWhole(outcome.error)
    }
  }
  if (world.subscriptions.must(id).status !== 'incomplete') return
  world.alarm('subscription.expire', id, given.clock, subscription.created + 23 * HOUR)
}

/** The same refusal, but everything is taken back: nothing was created or changed. */
export function refusedWhole<E extends { status: number; body: object }>(error: E): E {
  return Object.assign(error, { keep: false })
}

export function addItem(
  world: World,
  subscription: SubscriptionRow,
  item: NewItem,
  start: number,
  created: number,
): SubscriptionItemRow {
  return world.subscriptionItems.insert({
    id: world.ids.next('si', 14),
    object: 'subscription_item',
    billing_thresholds: null,
    created,
    current_period_start: start,
    current_period_end: start,
    current_trial: null,
    discounts: [],
    metadata: item.metadata,
    ...(item.quantity === undefined ? {} : { quantity: item.quantity }),
    subscription: subscription.id,
    tax_rates: item.taxRates ?? [],
    own: { clock: subscription.own.clock, price: item.price, debit: null, sequence: 0, usageFrom: created },
  })
}
