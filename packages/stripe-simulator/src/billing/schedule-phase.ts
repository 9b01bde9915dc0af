import { applyDiscounts, type DiscountedObject, redeemer } from '../resources/discounts.ts'
import { addExtraItems } from '../resources/extra-items.ts'
import { extrasOf, pricedItem, redeemable, stretchOf } from '../resources/phase-extras.ts'
import type { ScheduleRow, SubscriptionItemRow, SubscriptionRow } from '../rows.ts'
import { sameRhythm } from '../rules/billing-cycle.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import { moved } from '../rules/subscription-status.ts'
import type { World } from '../world.ts'
import { addItem } from './create.ts'
import { endTakenOff } from './discounts.ts'
import type { ItemChange } from './item-change.ts'
import { billUsageSoFar, isMetered, restartUsage } from './metered.ts'
import { cycleOf, itemPeriod, itemsOf, rhythmOf } from './periods.ts'
import { type Change, updateSubscription } from './update.ts'

type Phase = ScheduleRow['phases'][number]

/**
 * Makes the subscription what the phase says. At the end of a period nothing is prorated, the renewal bills
 * the new items; inside one it is an ordinary change with the phase's `proration_behavior`.
 * https://docs.stripe.com/billing/subscriptions/subscription-schedules
 */
export function enterPhase(
  world: World,
  schedule: ScheduleRow,
  phase: Phase,
  prorationBehavior: string,
  entering: boolean,
): void {
  const subscription = world.subscriptions.must(schedule.subscription)
  const now = world.now(subscription.own.clock)
  const items = itemsOf(world, subscription.id)
  const changes = itemChanges(world, subscription, items, phase)
  const moves = changes.some((change) => movesRhythm(world, items, change))
  const anchor = phase.billing_cycle_anchor ?? schedule.default_settings.billing_cycle_anchor
  const anchorIsPhase = entering && anchor === 'phase_start'
  const resets = moves || anchorIsPhase
  const trialEnd = newTrialEnd(subscription, phase, now)
  const fields = {
    ...fieldsOf(subscription, phase, schedule.default_settings),
    discounts: phaseDiscounts(world, subscription, phase),
  }
  const bill = () => {
    if (!entering) return
    const extras = extrasOf(world, phase, subscription.customer)
    addExtraItems(world, subscription.id, extras, stretchOf(phase))
  }
  if (items.some((item) => item.current_period_end > now)) {
    // In a trial another interval leaves the cycle alone, which begins when the trial ends.
    const restarts = resets && (subscription.status !== 'trialing' || anchorIsPhase)
    const renewed = changes.filter(
      (change) => !restarts && trialEnd === null && isAtBoundary(world, subscription, change, now),
    )
    for (const change of renewed) applyAtBoundary(world, subscription, change, now)
    bill()
    updateSubscription(world, subscription.id, {
      items: changes.filter((change) => !renewed.includes(change)),
      prorationBehavior: prorationBehavior as Change['prorationBehavior'],
      prorationDate: undefined,
      anchorNow: restarts,
      trialEnd: trialEnd ?? undefined,
      paymentBehavior: 'allow_incomplete',
      offSession: true,
      fields,
    })
    return
  }
  world.subscriptions.patch(subscription.id, {
    ...fields,
    ...(resets ? { billing_cycle_anchor: now } : {}),
    ...(trialEnd === null
      ? {}
      : {
          ...moved(subscription, 'trial_started'),
          trial_start: now,
          trial_end: trialEnd,
          billing_cycle_anchor: trialEnd,
        }),
  })
  for (const change of changes) applyAtBoundary(world, subscription, change, now)
  endTakenOff(world, subscription.id)
  bill()
}

/** A phase is a trial as a whole or up to a date; null when that is over or already so. */
function newTrialEnd(subscription: SubscriptionRow, phase: Phase, now: number): number | null {
  const end = phaseTrialEnd(phase)
  if (end === null || end <= now) return null
  return subscription.status === 'trialing' && subscription.trial_end === end ? null : end
}

export function phaseTrialEnd(phase: Phase): number | null {
  return phase.trial === true ? phase.end_date : phase.trial_end
}

/**
 * The discounts of the phase; what is already redeemed for the subscription is not redeemed again, and what
 * can no longer be redeemed is left out.
 */
function phaseDiscounts(world: World, subscription: SubscriptionRow, phase: Phase): string[] {
  const to = redeemer(world, subscription, phase.items.map(pricedItem))
  return redeemed(world, phase.discounts, subscription.discounts, to)
}

function redeemed(
  world: World,
  wanted: Phase['discounts'],
  has: SubscriptionRow['discounts'],
  to: DiscountedObject,
): string[] {
  const held = has as string[]
  return wanted.flatMap((given) => {
    const { discount, coupon, promotion_code: code } = given as Record<string, string | null>
    // One that was taken off since is over.
    if (discount != null) return world.discounts.must(discount).own.used ? [] : [discount]
    const kept = held.find((had) => {
      const row = world.discounts.must(had)
      return coupon == null ? row.promotion_code === code : row.source.coupon === coupon && code == null
    })
    if (kept !== undefined) return [kept]
    return applyDiscounts(world, redeemable(world, [given], to), to)
  })
}

/** Where items of several intervals meet, a phase may begin inside the periods of some and between those of others. */
function isAtBoundary(world: World, subscription: SubscriptionRow, change: ItemChange, now: number): boolean {
  if (subscription.status === 'trialing') return false
  const item = world.subscriptionItems.get(change.id)
  if (item !== undefined) return item.current_period_end <= now
  const cycle = cycleOf(subscription, world.prices.must(change.price))
  return itemPeriod(subscription.billing_cycle_anchor, cycle, now).start === now
}

function applyAtBoundary(world: World, subscription: SubscriptionRow, change: ItemChange, now: number): void {
  if (change.id === undefined) {
    const { price, quantity, metadata, taxRates, discounts, thresholds } = change
    addItem(
      world,
      subscription,
      { price: price as string, quantity, metadata: metadata ?? {}, taxRates, discounts, thresholds },
      now,
      now,
    )
    return
  }
  const item = world.subscriptionItems.must(change.id)
  const moves = change.price !== undefined && change.price !== item.own.price
  // The renewal bills what the phase that ends used at its prices.
  if ((change.deleted || moves) && isMetered(world.prices.must(item.own.price))) {
    if (subscription.status !== 'trialing') billUsageSoFar(world, subscription, item, now)
    restartUsage(world, item, now)
  }
  if (change.deleted) {
    world.subscriptionItems.delete(change.id)
    return
  }
  world.subscriptionItems.patch(item.id, {
    quantity: change.quantity,
    metadata: change.metadata ?? item.metadata,
    tax_rates: change.taxRates ?? item.tax_rates,
    discounts: [...(change.discounts ?? item.discounts)],
    billing_thresholds: change.thresholds ?? null,
    own: { ...world.subscriptionItems.must(item.id).own, price: change.price ?? item.own.price },
  } as Partial<SubscriptionItemRow>)
}

/** An item is known by its price; those left over are paired in their order. */
function itemChanges(
  world: World,
  subscription: SubscriptionRow,
  items: readonly SubscriptionItemRow[],
  phase: Phase,
): ItemChange[] {
  const free = [...items]
  const take = (price: string) => {
    const at = free.findIndex((item) => item.own.price === price)
    return at < 0 ? undefined : free.splice(at, 1)[0]
  }
  const paired = phase.items.map((wanted) => ({ wanted, item: take(wanted.price) }))
  const changes = paired.map(({ wanted, item }): ItemChange => {
    const old = item ?? free.shift()
    const to = redeemer(world, subscription, [pricedItem(wanted)])
    const discounts = redeemed(world, wanted.discounts, old?.discounts ?? [], to)
    // An item that is added takes its discounts with it.
    if (old !== undefined)
      for (const discount of discounts) world.discounts.patch(discount, { subscription_item: old.id })
    return {
      id: old?.id,
      price: old?.own.price === wanted.price ? undefined : wanted.price,
      quantity: wanted.quantity,
      metadata: mergeMetadata(old?.metadata ?? {}, wanted.metadata ?? {}),
      deleted: false,
      taxRates: wanted.tax_rates ?? [],
      discounts,
      thresholds: wanted.billing_thresholds ?? null,
    }
  })
  const gone = free.map((item) => ({
    id: item.id,
    price: undefined,
    quantity: undefined,
    metadata: undefined,
    deleted: true,
  }))
  return [...changes, ...gone]
}

function movesRhythm(world: World, items: readonly SubscriptionItemRow[], change: ItemChange): boolean {
  const before = items.find((item) => item.id === change.id) ?? items[0]
  if (before === undefined || change.price === undefined || change.deleted) return false
  return !sameRhythm(rhythmOf(world.prices.must(before.own.price)), rhythmOf(world.prices.must(change.price)))
}

/** What a phase, or else its schedule, sets besides the items; what both leave out stays. */
function fieldsOf(
  subscription: SubscriptionRow,
  phase: Phase,
  defaults: ScheduleRow['default_settings'],
): Partial<SubscriptionRow> {
  const collection = phase.collection_method ?? defaults.collection_method
  const method = phase.default_payment_method ?? defaults.default_payment_method
  const description = phase.description ?? defaults.description
  const thresholds = phase.billing_thresholds ?? defaults.billing_thresholds
  const settings = phase.invoice_settings ?? defaults.invoice_settings
  const { days_until_due: days } = settings
  const tax = phase.automatic_tax ?? defaults.automatic_tax
  return {
    ...(collection === null ? {} : { collection_method: collection }),
    invoice_settings: {
      ...subscription.invoice_settings,
      ...(settings.account_tax_ids === null ? {} : { account_tax_ids: settings.account_tax_ids }),
      ...(settings.description === null ? {} : { description: settings.description }),
      ...(settings.footer === null ? {} : { footer: settings.footer }),
      ...(settings.custom_fields === null ? {} : { custom_fields: settings.custom_fields }),
    },
    ...(collection === 'send_invoice' ? { days_until_due: days ?? subscription.days_until_due } : {}),
    ...(collection === 'charge_automatically' ? { days_until_due: null } : {}),
    ...(method === null ? {} : { default_payment_method: method }),
    ...(description === null ? {} : { description }),
    ...(thresholds === null ? {} : { billing_thresholds: thresholds }),
    ...(tax === undefined ? {} : { automatic_tax: tax }),
    ...(phase.default_tax_rates == null || phase.default_tax_rates.length === 0
      ? {}
      : { default_tax_rates: phase.default_tax_rates }),
    metadata: mergeMetadata(subscription.metadata, phase.metadata ?? {}),
  }
}
