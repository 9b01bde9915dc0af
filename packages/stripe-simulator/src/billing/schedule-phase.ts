import type { ScheduleRow, SubscriptionItemRow, SubscriptionRow } from '../rows.ts'
import { sameRhythm } from '../rules/billing-cycle.ts'
import type { World } from '../world.ts'
import { addItem } from './create.ts'
import { itemsOf, rhythmOf } from './periods.ts'
import { type Change, type ItemChange, updateSubscription } from './update.ts'

type Phase = ScheduleRow['phases'][number]

/**
 * Makes the subscription what the phase says. At the end of a period nothing is prorated, the renewal bills
 * the new items; inside one it is an ordinary change with the phase's `proration_behavior`.
 * https://docs.stripe.com/billing/subscriptions/subscription-schedules
 */
export function enterPhase(
  world: World,
  subscription: SubscriptionRow,
  phase: Phase,
  prorationBehavior: string,
): void {
  const now = world.now(subscription.own.clock)
  const items = itemsOf(world, subscription.id)
  const changes = itemChanges(items, phase)
  const moves = changes.some((change) => movesRhythm(world, items, change))
  const resets = moves || phase.billing_cycle_anchor === 'phase_start'
  if (items.some((item) => item.current_period_end > now)) {
    updateSubscription(world, subscription.id, {
      items: changes,
      prorationBehavior: prorationBehavior as Change['prorationBehavior'],
      prorationDate: undefined,
      anchorNow: resets,
      trialEnd: undefined,
      paymentBehavior: 'allow_incomplete',
      offSession: true,
      fields: fieldsOf(subscription, phase),
    })
    return
  }
  world.subscriptions.patch(subscription.id, {
    ...fieldsOf(subscription, phase),
    ...(resets ? { billing_cycle_anchor: now } : {}),
  })
  for (const change of changes) applyAtBoundary(world, subscription, change, now)
}

function applyAtBoundary(world: World, subscription: SubscriptionRow, change: ItemChange, now: number): void {
  if (change.id === undefined) {
    const { price, quantity, metadata, taxRates } = change
    addItem(
      world,
      subscription,
      { price: price as string, quantity, metadata: metadata ?? {}, taxRates },
      now,
      now,
    )
    return
  }
  if (change.deleted) {
    world.subscriptionItems.delete(change.id)
    return
  }
  const item = world.subscriptionItems.must(change.id)
  world.subscriptionItems.patch(item.id, {
    quantity: change.quantity,
    tax_rates: change.taxRates ?? item.tax_rates,
    own: { ...item.own, price: change.price ?? item.own.price },
  } as Partial<SubscriptionItemRow>)
}

/** An item is known by its price; those left over are paired in their order. */
function itemChanges(items: readonly SubscriptionItemRow[], phase: Phase): ItemChange[] {
  const free = [...items]
  const take = (price: string) => {
    const at = free.findIndex((item) => item.own.price === price)
    return at < 0 ? undefined : free.splice(at, 1)[0]
  }
  const paired = phase.items.map((wanted) => ({ wanted, item: take(wanted.price) }))
  const changes = paired.map(({ wanted, item }): ItemChange => {
    const old = item ?? free.shift()
    return {
      id: old?.id,
      price: old?.own.price === wanted.price ? undefined : wanted.price,
      quantity: wanted.quantity,
      metadata: wanted.metadata ?? undefined,
      deleted: false,
      taxRates: wanted.tax_rates ?? [],
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

/** What a phase sets besides its items; what it leaves out stays. */
function fieldsOf(subscription: SubscriptionRow, phase: Phase): Partial<SubscriptionRow> {
  return {
    ...(phase.collection_method === null ? {} : { collection_method: phase.collection_method }),
    ...(phase.default_payment_method === null
      ? {}
      : { default_payment_method: phase.default_payment_method }),
    ...(phase.description === null ? {} : { description: phase.description }),
    ...(phase.default_tax_rates == null || phase.default_tax_rates.length === 0
      ? {}
      : { default_tax_rates: phase.default_tax_rates }),
    metadata: { ...subscription.metadata, ...phase.metadata },
  }
}
