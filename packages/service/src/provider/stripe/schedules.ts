import type { Interval } from '@lockstep/core/billing-cycle'
import { Problem } from '@lockstep/core/problem'
import type Stripe from 'stripe'
import { type CallDeps, callStripe, readStripe } from './call.ts'
import { idOf } from './field.ts'
import { isOwn, ownMetadata } from './metadata.ts'

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
  const { operation: id, subscriptionId } = wanted
  const schedule = await makeSchedule(deps, wanted)
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
  return tellSchedule(deps, wanted, schedule.id, body)
}

/** With what the prices of its phases are. */
export function fetchSchedule(
  deps: Pick<CallDeps, 'provider'>,
  id: string,
): Promise<Stripe.SubscriptionSchedule> {
  return readStripe(deps, (stripe) =>
    stripe.subscriptionSchedules.retrieve(id, { expand: ['phases.items.price'] }),
  )
}

/** Whose schedule it is, and in which operation it is made or told. */
interface Scheduled {
  readonly operation: string
  readonly subscriptionId: string
  readonly providerSubscription: string
}

/** Makes one of a subscription as it is. */
export function makeSchedule(
  deps: CallDeps,
  { operation: id, subscriptionId, providerSubscription }: Scheduled,
): Promise<Stripe.SubscriptionSchedule> {
  const body = { from_subscription: providerSubscription }
  return callStripe(
    deps,
    { id, kind: 'subscription_schedule.create', subjectId: subscriptionId, body, settledByCaller: true },
    (stripe, options) => stripe.subscriptionSchedules.create(body, options),
    async (stripe) => {
      // A subscription has one schedule, which somebody else may have made.
      const { schedule } = await stripe.subscriptions.retrieve(providerSubscription)
      if (schedule === null) return undefined
      const found = await stripe.subscriptionSchedules.retrieve(idOf(schedule))
      return isOwn(deps.provider, found) || isAsMade(found) ? found : undefined
    },
  )
}

/**
 * Whether a schedule may be one that was made of its subscription, and told nothing yet: whose it is cannot be said with
 * that call. It plans nothing, so that nothing is taken away by telling it anew.
 */
export function isAsMade(schedule: Stripe.SubscriptionSchedule): boolean {
  const isUnnamed = Object.keys(schedule.metadata ?? {}).length === 0
  return isUnnamed && schedule.end_behavior === 'release' && afterRunning(schedule).length === 0
}

/** Where a subscription is changed itself, Stripe may split the phase that runs: what is over stays in the list. */
export function afterRunning({
  phases,
  current_phase: current,
}: Stripe.SubscriptionSchedule): Stripe.SubscriptionSchedule.Phase[] {
  return current === null ? [] : phases.filter(({ start_date: start }) => start >= current.end_date)
}

/** The call that tells a schedule what comes; its own makes one. */
export const tellingOf = (operation: string) => `${operation}/phases`

/** Tells one what comes; phases say everything that follows, so it is safe to repeat. */
export function tellSchedule(
  deps: CallDeps,
  { operation, subscriptionId: subjectId }: Scheduled,
  schedule: string,
  body: Stripe.SubscriptionScheduleUpdateParams,
): Promise<Stripe.SubscriptionSchedule> {
  const kind = 'subscription_schedule.update'
  return callStripe(
    deps,
    { id: tellingOf(operation), kind, subjectId, body, repeatable: true },
    (stripe, options) => stripe.subscriptionSchedules.update(schedule, body, options),
  )
}

/**
 * Lets one go of its subscription, which goes on as it is; what was planned does not come. Safe to repeat,
 * also where somebody else was faster.
 */
export async function releaseSchedule(
  deps: CallDeps,
  operation: string,
  {
    subscriptionId: subjectId,
    scheduleId: id,
  }: { readonly subscriptionId: string; readonly scheduleId: string },
): Promise<void> {
  const isRunning = async () => {
    const { status } = await readStripe(deps, (stripe) => stripe.subscriptionSchedules.retrieve(id))
    return status === 'active' || status === 'not_started'
  }
  if (!(await isRunning())) return
  const kind = 'subscription_schedule.release'
  try {
    await callStripe(
      deps,
      { id: operation, kind, subjectId, body: { id }, repeatable: true },
      (stripe, options) => stripe.subscriptionSchedules.release(id, {}, options),
    )
  } catch (error) {
    // Between the look and the call, too.
    if (!(error instanceof Problem) || error.status >= 500 || (await isRunning())) throw error
  }
}
