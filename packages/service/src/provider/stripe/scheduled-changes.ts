import type { Interval } from '@lockstep/core/billing-cycle'
import type { Instant } from '@lockstep/core/instant'
import { Problem } from '@lockstep/core/problem'
import type Stripe from 'stripe'
import { wasBegun } from '../../store/operations.ts'
import { type CallDeps, readStripe } from './call.ts'
import { fetchSubscription } from './fetch.ts'
import { idOf } from './field.ts'
import { isOwn, ownMetadata } from './metadata.ts'
import { makeSchedule, tellSchedule } from './schedules.ts'
import type { WantedItem } from './subscription-changes.ts'

export interface ChangeToSchedule {
  readonly operation: string
  readonly subscriptionId: string
  readonly providerSubscription: string
  readonly items: readonly WantedItem[]
  /** The end of the period that runs. */
  readonly at: Instant
  readonly interval: Interval
  readonly intervalCount: number
  /** Periods are counted anew from `at`, because they have another length. */
  readonly changesRhythm: boolean
}

/**
 * Has a subscription go on with other items when its period is over. A schedule is made of the
 * subscription as it is, with one more phase; one of ours that stands there already is told anew. After
 * one period it lets go of the subscription by itself.
 * https://docs.stripe.com/billing/subscriptions/subscription-schedules/use-cases
 */
export async function scheduleChange(
  deps: CallDeps,
  wanted: ChangeToSchedule,
): Promise<Stripe.SubscriptionSchedule> {
  const { operation: id, subscriptionId } = wanted
  const subscription = await fetchSubscription(deps, wanted.providerSubscription)
  const standing = await scheduleOf(deps, wanted, subscription)
  const schedule = standing ?? (await makeSchedule(deps, wanted))
  const phase = schedule.phases.find(({ start_date: start }) => start === schedule.current_phase?.start_date)
  if (!phase) throw new Error(`The schedule ${schedule.id} has no phase that runs.`)
  // Phases say everything: what is not repeated would end with the first one. That one is told as the subscription is,
  // because somebody may have changed it since the schedule was made, and would see it changed back.
  const discounts = subscription.discounts.map(discountParam)
  const body = {
    end_behavior: 'release',
    proration_behavior: 'none',
    phases: [
      {
        start_date: phase.start_date,
        end_date: wanted.at,
        items: subscription.items.data.map(({ price, quantity, discounts: own }) => ({
          price: price.id,
          ...(quantity !== undefined && { quantity }),
          ...(own.length > 0 && { discounts: own.map(discountParam) }),
        })),
        discounts,
        proration_behavior: 'none',
      },
      {
        items: wanted.items.map(({ providerPrice: price, quantity }) => ({
          price,
          ...(quantity !== null && { quantity }),
        })),
        duration: { interval: wanted.interval, interval_count: wanted.intervalCount },
        discounts,
        proration_behavior: 'none',
        ...(wanted.changesRhythm && { billing_cycle_anchor: 'phase_start' as const }),
      },
    ],
    metadata: ownMetadata(deps.provider, id, { lockstep_subscription: subscriptionId }),
  } satisfies Stripe.SubscriptionScheduleUpdateParams
  return tellSchedule(deps, wanted, schedule.id, body)
}

/** The schedule that stands on a subscription and that we may tell anew. */
async function scheduleOf(
  deps: CallDeps,
  { operation }: ChangeToSchedule,
  { schedule }: Stripe.Subscription,
): Promise<Stripe.SubscriptionSchedule | undefined> {
  if (schedule === null) return undefined
  const found = await readStripe(deps, (stripe) => stripe.subscriptionSchedules.retrieve(idOf(schedule)))
  const isFresh = Object.keys(found.metadata ?? {}).length === 0
  // Made of the subscription by this very call, whose answer was lost; or ours from an earlier change.
  if (isOwn(deps.provider, found) || (isFresh && (await wasBegun(deps.db, operation)))) return found
  const detail = 'Somebody else planned changes of the subscription at the payment provider.'
  throw new Problem('subscription_not_changeable', detail)
}

const discountParam = (discount: string | Stripe.Discount) => ({ discount: idOf(discount) })
