import type { ItemChange } from '../billing/item-change.ts'
import { itemsOf } from '../billing/periods.ts'
import type { Change } from '../billing/update.ts'
import { invalid, missing } from '../errors.ts'
import {
  bool,
  clearable,
  either,
  list,
  oneOf,
  type Params,
  required,
  shape,
  text,
  timestamp,
  timestampOrNow,
} from '../http/schema.ts'
import type { PriceRow, SubscriptionItemRow, SubscriptionRow } from '../rows.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import type { World } from '../world.ts'
import { itemsAfter, type PricedItem } from './changed-items.ts'
import { applyDiscounts, redeemer } from './discounts.ts'
import { find } from './lookup.ts'
import { refuseMixed, refuseOtherCurrency } from './subscription-currency.ts'
import { checkTrialEnd, cutTrial, planTrialEnd, refuseTwoTrials } from './subscription-dates.ts'
import { itemFields, sharedFields, usageThresholdOf } from './subscription-fields.ts'
import { itemPrice, itemQuantity } from './subscription-items.ts'
import { taxRatesOf } from './tax-rates.ts'

const ITEMS_MAX = 20

export const anchorParam = shape({ type: required(oneOf(['now', 'unchanged'] as const)) })

/** What a change of items consists of; previews take the same. `clear_usage` "has no effect if the plan has a billing meter attached". */
export const changeFields = {
  items: list(shape({ ...itemFields, id: text(), deleted: bool, clear_usage: bool }), 20),
  proration_behavior: sharedFields.proration_behavior,
  proration_date: timestamp,
  billing_cycle_anchor: anchorParam,
  cancel_at: clearable(either(timestamp, oneOf(['min_period_end', 'max_period_end'] as const))),
  cancel_at_period_end: bool,
  trial_end: timestampOrNow,
  trial_from_plan: bool,
}

export type ChangeParams = Params<typeof changeFields>

/** The part of an update that a preview can ask for as well. `prefix` leads the names of parameters. */
export function itemChange(
  world: World,
  subscription: SubscriptionRow,
  params: ChangeParams,
  prefix: string,
): Change {
  const name = (path: string) =>
    prefix === '' ? path : `${prefix}[${path.replace(/^([^[]+)/, '$1]').replace(/\]$/, '')}]`
  const now = world.now(subscription.own.clock)
  const added = new Set<string>()
  const items = (params.items ?? []).map((entry, i): ItemChange => {
    const at = prefix === '' ? `items[${i}]` : `${prefix}[items][${i}]`
    const old =
      entry.id === undefined
        ? undefined
        : find(world.subscriptionItems, 'subscription item', entry.id, `${at}[id]`)
    if (old !== undefined && old.subscription !== subscription.id)
      throw missing('subscription item', old.id, `${at}[id]`)
    if (old === undefined && entry.deleted === true) {
      throw invalid('You must give the id of the item to delete.', `${at}[id]`, 'parameter_missing')
    }
    const price =
      entry.price === undefined &&
      entry.plan === undefined &&
      entry.price_data === undefined &&
      old !== undefined
        ? undefined
        : itemPrice(world, entry, at)
    if (price !== undefined) refuseOtherCurrency(price, subscription.currency, `${at}[price]`)
    if (old === undefined && price !== undefined) {
      refuseAgain(world, subscription, price)
      if (added.has(price.id)) {
        throw invalid(`Cannot add multiple subscription items with the same plan: ${price.id}`, 'plan')
      }
      added.add(price.id)
    }
    const next = price ?? world.prices.must(old?.own.price)
    if (entry.quantity !== undefined) itemQuantity(next, entry.quantity, at)
    return {
      id: old?.id,
      price: price?.id,
      quantity: entry.quantity,
      metadata: entry.metadata === undefined ? undefined : mergeMetadata(old?.metadata ?? {}, entry.metadata),
      deleted: entry.deleted ?? false,
      discounts: itemDiscounts(
        world,
        subscription,
        { old, price: next.id, quantity: entry.quantity ?? old?.quantity },
        entry.discounts,
        `${at}[discounts]`,
      ),
      thresholds:
        entry.billing_thresholds === undefined
          ? undefined
          : usageThresholdOf(next, entry.billing_thresholds, at),
      taxRates:
        entry.tax_rates === undefined
          ? undefined
          : taxRatesOf(world, entry.tax_rates, `${at}[tax_rates]`, old?.tax_rates),
    }
  })
  const kept = itemsOf(world, subscription.id).length - items.filter((item) => item.deleted).length
  const count = kept + items.filter((item) => item.id === undefined).length
  // In these words clients tell it from other refusals.
  if (count < 1) {
    throw invalid(
      'A subscription must have at least one active plan. To cancel a subscription, please use the cancel API endpoint on /v1/subscriptions.',
      name('items'),
    )
  }
  // https://docs.stripe.com/api/subscriptions/update#update_subscription-items
  if (count > ITEMS_MAX) throw invalid(`A subscription can have at most ${ITEMS_MAX} items.`, name('items'))
  const prices = itemsAfter(world, subscription, items).map(({ price }) => world.prices.must(price))
  // What a subscription has already, from when it was taken, is no reason to refuse what does not touch it.
  if (items.some(({ price }) => price !== undefined))
    refuseMixed(subscription.billing_mode, prices, name('items'))
  if (subscription.status === 'paused') refuseWhilePaused(params)
  checkProrationDate(world, subscription, params.proration_date, name('proration_date'))
  refuseTwoTrials(params.trial_end, params.trial_from_plan)
  if (typeof params.trial_end === 'number') {
    checkTrialEnd(params.trial_end, now, subscription.billing_cycle_anchor, name('trial_end'))
  }
  const fields = endFields(world, subscription, params, now)
  return {
    items,
    prorationBehavior: params.proration_behavior ?? 'create_prorations',
    prorationDate: params.proration_date,
    anchorNow: params.billing_cycle_anchor?.type === 'now',
    trialEnd: trialEndOf(subscription, params, prices, fields, now),
    trialFromPlan: params.trial_from_plan,
    paymentBehavior: 'allow_incomplete',
    offSession: false,
    endsWith: periodEndAsked(params),
    fields,
  }
}

/** The first sentence as recorded: github.com/Kiln-AI/stripe_world, 2026-08-26.dahlia. */
function refuseWhilePaused({ billing_cycle_anchor: anchor, trial_end: trialEnd }: ChangeParams): void {
  if (trialEnd !== undefined) {
    throw invalid(
      'You cannot set `trial_end` while a subscription is `paused`. Resume the subscription first before setting `trial_end`.',
    )
  }
  if (anchor?.type === 'now') {
    throw invalid('The subscription is paused: resume it before its cycle changes.')
  }
}

/** A new end of the trial: one that is asked for, one that the new prices bring, or the planned end that it may not reach over. */
function trialEndOf(
  subscription: SubscriptionRow,
  params: ChangeParams,
  prices: readonly PriceRow[],
  fields: Partial<SubscriptionRow>,
  now: number,
): Change['trialEnd'] {
  const asked =
    params.trial_end ?? (params.trial_from_plan === true ? planTrialEnd(prices, now) : null) ?? undefined
  if (asked === 'now') return asked
  const { billing_mode: mode, status, trial_end: running } = subscription
  const { cancel_at: cancelAt, cancel_at_period_end: atPeriodEnd } = { ...subscription, ...fields }
  // An end with the period is where the trial ends, not the other way round.
  const planned = atPeriodEnd || periodEndAsked(params) !== undefined ? null : cancelAt
  const end = asked ?? (status === 'trialing' ? (running ?? undefined) : undefined)
  const cut = cutTrial(mode, end, planned)
  return cut === end ? asked : cut
}

/** The end with a period that is asked for: that of the periods as the same request leaves them. */
function periodEndAsked({ cancel_at: at, cancel_at_period_end: atEnd }: ChangeParams): Change['endsWith'] {
  return atEnd === true ? 'min_period_end' : typeof at === 'string' ? at : undefined
}

/** A price that an item has already: more of it is that item's quantity. */
function refuseAgain(world: World, { id }: SubscriptionRow, price: PriceRow): void {
  const using = itemsOf(world, id).find((item) => item.own.price === price.id)
  if (using === undefined) return
  throw invalid(
    `A new item with Price ${price.id} can't be added to this Subscription because an existing Subscription Item ${using.id} is already using that Price. If you want to update the existing item (e.g., to adjust the quantity), pass the existing Subscription Item's \`id\` in your update request: https://stripe.com/docs/api/subscriptions/update#update_subscription-items-id`,
    'plan',
  )
}

/** A filled array replaces, an empty one changes nothing, the empty text clears. */
function itemDiscounts(
  world: World,
  subscription: SubscriptionRow,
  item: PricedItem & { readonly old: SubscriptionItemRow | undefined },
  given: Parameters<typeof applyDiscounts>[1] | null | undefined,
  param: string,
): string[] | undefined {
  if (given === null) return []
  if (given === undefined || given.length === 0) return undefined
  const ids = applyDiscounts(world, given, redeemer(world, subscription, [item]), param)
  if (item.old !== undefined)
    for (const id of ids) world.discounts.patch(id, { subscription_item: item.old.id })
  return ids
}

function checkProrationDate(
  world: World,
  subscription: SubscriptionRow,
  at: number | undefined,
  param: string,
): void {
  if (at === undefined) return
  const items = itemsOf(world, subscription.id)
  const start = Math.min(...items.map((item) => item.current_period_start))
  const end = Math.max(...items.map((item) => item.current_period_end))
  if (at < start || at > end) {
    throw invalid('Invalid proration date: it must lie inside the current billing period.', param)
  }
}

/** `cancel_at_period_end` is a date in disguise; unsetting either clears what was planned. */
function endFields(
  world: World,
  subscription: SubscriptionRow,
  params: ChangeParams,
  now: number,
): Partial<SubscriptionRow> {
  const { cancel_at: at, cancel_at_period_end: atEnd, proration_behavior: prorates } = params
  if (at !== undefined && atEnd === true) {
    throw invalid(
      'You may only specify one of these parameters: cancel_at, cancel_at_period_end.',
      'cancel_at',
    )
  }
  const own = { ...subscription.own, proratesEnd: prorates !== 'none' }
  const ends = itemsOf(world, subscription.id).map((item) => item.current_period_end)
  // Of several periods it is the one that ends first. https://docs.stripe.com/billing/subscriptions/mixed-interval#limitations
  if (atEnd === true) {
    return plan(subscription, Math.min(...ends), true, now, own)
  }
  if (typeof at === 'number') {
    if (at <= now) throw invalid('`cancel_at` must be in the future.', 'cancel_at')
    return plan(subscription, at, false, now, own)
  }
  if (at === 'min_period_end') return plan(subscription, Math.min(...ends), false, now, own)
  if (at === 'max_period_end') return plan(subscription, Math.max(...ends), false, now, own)
  if (at === null || (atEnd === false && subscription.cancel_at_period_end)) {
    return {
      cancel_at: null,
      cancel_at_period_end: false,
      canceled_at: null,
      cancellation_details: withReason(subscription, null),
      own,
    }
  }
  return {}
}

function plan(
  subscription: SubscriptionRow,
  cancelAt: number,
  atPeriodEnd: boolean,
  now: number,
  own: SubscriptionRow['own'],
): Partial<SubscriptionRow> {
  return {
    cancel_at: cancelAt,
    cancel_at_period_end: atPeriodEnd,
    canceled_at: now,
    cancellation_details: withReason(subscription, 'cancellation_requested'),
    own,
  }
}

function withReason(subscription: SubscriptionRow, reason: 'cancellation_requested' | null) {
  const present = subscription.cancellation_details ?? {
    comment: null,
    feedback: null,
    feedback_option: null,
  }
  return { ...present, reason }
}
