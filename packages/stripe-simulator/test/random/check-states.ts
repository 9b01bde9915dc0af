import type Stripe from 'stripe'
import type { History } from './history.ts'
import { hold } from './hold.ts'
import { now, type Story, subscriptions } from './story.ts'

const TERMINAL: readonly string[] = ['canceled', 'incomplete_expired']
const RUNNING: readonly string[] = ['trialing', 'active', 'past_due', 'unpaid']

/** docs.stripe.com/billing/subscriptions/overview: what is canceled or has expired stays so, in every snapshot. */
export async function checkStates(story: Story, history: History): Promise<void> {
  const at = await now(story)
  for (const subscription of await subscriptions(story)) {
    checkRunning(subscription, at)
    const told = history.of<Stripe.Subscription>(subscription.id).map(({ object }) => object.status)
    const end = told.findIndex((status) => TERMINAL.includes(status))
    if (end < 0) continue
    for (const later of [...told.slice(end), subscription.status])
      hold(`${subscription.id} after its end`, later, told[end])
  }
}

/**
 * What runs is inside the periods that it shows, and a trial is over when its end has come: the periods of
 * a trial end with it. https://docs.stripe.com/billing/subscriptions/trials
 */
function checkRunning({ id, status, trial_end: trialEnd, items }: Stripe.Subscription, at: number): void {
  if (!RUNNING.includes(status)) return
  for (const { id: item, current_period_start: start, current_period_end: end } of items.data) {
    hold(`${id} ${item} is in its period at ${at}`, start <= at && at < end, true)
    if (status === 'trialing') hold(`${id} ${item} current_period_end on trial`, end, trialEnd)
  }
}
