import type { SubscriptionRow } from '../rows.ts'
import { moved } from '../rules/subscription-status.ts'
import type { World } from '../world.ts'
import { endSubscription } from './end.ts'
import { methodOfCustomer } from './methods.ts'
import { pausedBecause } from './pause.ts'
import { itemsOf, scheduleDue } from './periods.ts'

/**
 * What `missing_payment_method` says of a trial that ends where there is nothing to charge; undefined where there is, and
 * where an invoice is made all the same.
 * https://docs.stripe.com/api/subscriptions/create#create_subscription-trial_settings-end_behavior-missing_payment_method
 */
export function withoutMethod(world: World, subscription: SubscriptionRow): 'cancel' | 'pause' | undefined {
  if (subscription.collection_method !== 'charge_automatically') return undefined
  const customer = world.customers.must(subscription.customer)
  if (methodOfCustomer(customer, subscription) !== null) return undefined
  const behavior = subscription.trial_settings?.end_behavior.missing_payment_method
  if (behavior === 'cancel') return 'cancel'
  return behavior === 'pause' ? 'pause' : undefined
}

/** Ends a trial and with it the subscription, or halts it: its periods are over now. */
export function leaveTrial(
  world: World,
  id: string,
  how: 'cancel' | 'pause',
  reason: 'cancellation_requested' | 'payment_failed',
): void {
  if (how === 'cancel') {
    endSubscription(world, id, { reason, asked: true })
    return
  }
  const subscription = world.subscriptions.must(id)
  const at = world.now(subscription.own.clock)
  for (const item of itemsOf(world, id)) {
    if (item.current_period_end > at) world.subscriptionItems.patch(item.id, { current_period_end: at })
  }
  const paused = world.subscriptions.patch(id, {
    ...moved(subscription, 'paused'),
    trial_end: Math.min(subscription.trial_end ?? at, at),
    status_details: pausedBecause('trial_end_without_payment_method', at),
  })
  scheduleDue(world, paused)
  world.emit('customer.subscription.updated', paused)
  world.emit('customer.subscription.paused', paused)
}
