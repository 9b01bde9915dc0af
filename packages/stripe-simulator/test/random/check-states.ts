import type Stripe from 'stripe'
import type { History } from './history.ts'
import { hold } from './hold.ts'
import { type Story, subscriptions } from './story.ts'

const TERMINAL: readonly string[] = ['canceled', 'incomplete_expired']

/** docs.stripe.com/billing/subscriptions/overview: what is canceled or has expired stays so, in every snapshot. */
export async function checkStates(story: Story, history: History): Promise<void> {
  for (const subscription of await subscriptions(story)) {
    const told = history.of<Stripe.Subscription>(subscription.id).map(({ object }) => object.status)
    const end = told.findIndex((status) => TERMINAL.includes(status))
    if (end < 0) continue
    for (const later of [...told.slice(end), subscription.status])
      hold(`${subscription.id} after its end`, later, told[end])
  }
}
