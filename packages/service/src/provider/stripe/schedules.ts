import type { Interval } from '@lockstep/core/billing-cycle'
import type Stripe from 'stripe'
import { type CallDeps, callStripe } from './call.ts'
import { idOf } from './field.ts'
import { ownMetadata } from './metadata.ts'

export interface PaymentsToSchedule {
  readonly operation: string
  readonly subscriptionId: string
  readonly providerSubscription: string
  readonly items: readonly { readonly providerPrice: string; readonly quantity: number }[]
  readonly interval: Interval
  /** From the beginning of the subscription to its end. */
  readonly intervals: number
}

/**
 * Lets a subscription that has begun end by itself after a number of intervals. A schedule is made of
 * the subscription as it is, and then told when its one phase ends.
 * https://docs.stripe.com/billing/subscriptions/subscription-schedules/use-cases#installment-plans
 */
export async function schedulePayments(
  deps: CallDeps,
  wanted: PaymentsToSchedule,
): Promise<Stripe.SubscriptionSchedule> {
  const { operation: id, subscriptionId, providerSubscription: subscription } = wanted
  const schedule = await callStripe(
    deps,
    {
      id,
      kind: 'subscription_schedule.create',
      subjectId: subscriptionId,
      body: { subscription },
      settledByCaller: true,
    },
    (stripe, options) => stripe.subscriptionSchedules.create({ from_subscription: subscription }, options),
    async (stripe) => {
      // A subscription has one schedule: what stands on ours, we made.
      const { schedule: found } = await stripe.subscriptions.retrieve(subscription)
      return found === null ? undefined : stripe.subscriptionSchedules.retrieve(idOf(found))
    },
  )
  const [phase] = schedule.phases
  if (!phase) throw new Error(`The schedule ${schedule.id} has no phase.`)
  const body = {
    end_behavior: 'cancel',
    proration_behavior: 'none',
    phases: [
      {
        start_date: phase.start_date,
        duration: { interval: wanted.interval, interval_count: wanted.intervals },
        items: wanted.items.map(({ providerPrice, quantity }) => ({ price: providerPrice, quantity })),
      },
    ],
    metadata: ownMetadata(deps.provider, id, { lockstep_subscription: subscriptionId }),
  } satisfies Stripe.SubscriptionScheduleUpdateParams
  return callStripe(
    deps,
    {
      id: `${id}/phases`,
      kind: 'subscription_schedule.update',
      subjectId: subscriptionId,
      body,
      repeatable: true,
    },
    (stripe, options) => stripe.subscriptionSchedules.update(schedule.id, body, options),
  )
}
