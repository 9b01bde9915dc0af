import { wasReplayed } from '../../provider/stripe/call.ts'
import { fetchSubscription } from '../../provider/stripe/fetch.ts'
import { startSubscription, withdrawSubscription } from '../../provider/stripe/subscriptions.ts'
import { nextObservation } from '../../store/provider-objects.ts'
import type { Step } from '../journal.ts'
import { observe } from '../observe.ts'
import type { SubscriptionConfiguration } from './configuration.ts'
import type { Bought, Purchase, PurchaseDeps } from './strategy.ts'

/** Starts the subscription at the provider: it runs, or it is refused and nothing is there. */
export async function subscribe(
  deps: PurchaseDeps,
  step: Step,
  purchase: Purchase,
  configuration: SubscriptionConfiguration,
): Promise<Bought> {
  const { customer, subscriptionId } = purchase
  let answer: Bought['answer']
  const { id } = await step(
    'start subscription',
    async (operation) => {
      const observation = await nextObservation(deps.db)
      const object = await startSubscription(deps, {
        operation,
        subscriptionId,
        customerId: customer.id,
        providerCustomer: customer.providerId,
        ...configuration,
      })
      // Stripe's memory of an earlier try says how it was then, not how it is.
      if (!wasReplayed(object)) answer = { object, observation }
      // Steps keep ids only: what else an object says may have changed by the time it is read again.
      return { id: object.id }
    },
    {
      operation: (key) => key,
      undo: ({ id }, key) =>
        withdrawSubscription(deps, `${key}/undo`, { id: subscriptionId, providerId: id }),
    },
  )
  return { id, answer }
}

/** Writes the subscription down: it is the customer's from now on. */
export async function recordSubscription(
  deps: PurchaseDeps,
  step: Step,
  { id, answer }: Bought,
): Promise<void> {
  await step('record subscription', async () => {
    if (answer) return void (await observe(deps, { type: 'subscription', source: 'write', ...answer }))
    const observation = await nextObservation(deps.db)
    const object = await fetchSubscription(deps, id)
    await observe(deps, { type: 'subscription', source: 'fetch', object, observation })
  })
}
