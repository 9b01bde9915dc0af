import { createSetup } from '../resources/setup-intents.ts'
import type { World } from '../world.ts'
import { methodOfCustomer } from './methods.ts'

/**
 * With `default_incomplete` and nothing to pay now, a trial for instance, a SetupIntent waits on the
 * subscription so that a method can be kept for later; on a trial that nothing could pay it waits in any case.
 * https://docs.stripe.com/billing/subscriptions/trials/free-trials and .../api/subscriptions/object
 */
export function setUpForLater(world: World, id: string, paymentBehavior: string): void {
  const subscription = world.subscriptions.must(id)
  const waits = subscription.status === 'active' || subscription.status === 'trialing'
  const due = world.invoices.get(subscription.latest_invoice)?.amount_due ?? 0
  if (!waits || due > 0) return
  const customer = world.customers.must(subscription.customer)
  const lacks = subscription.status === 'trialing' && methodOfCustomer(customer) === null
  if (paymentBehavior !== 'default_incomplete' && !lacks) return
  if (subscription.collection_method !== 'charge_automatically') return
  if (subscription.default_payment_method !== null || subscription.default_source !== null) return
  const intent = createSetup(world, { customer: subscription.customer, usage: 'off_session' })
  world.subscriptions.patch(id, { pending_setup_intent: intent.id })
}
