import type { SetupIntentRow } from '../rows.ts'
import type { World } from '../world.ts'

/** The method that was set up becomes the subscription's own, which no longer waits. */
export function afterSetUp(world: World, intent: SetupIntentRow): void {
  if (intent.customer === null) return
  for (const subscription of world.subscriptions.by('customer', intent.customer)) {
    if (subscription.pending_setup_intent !== intent.id) continue
    const next = world.subscriptions.patch(subscription.id, {
      pending_setup_intent: null,
      default_payment_method: subscription.default_payment_method ?? intent.payment_method,
    })
    world.emit('customer.subscription.updated', next)
  }
}
