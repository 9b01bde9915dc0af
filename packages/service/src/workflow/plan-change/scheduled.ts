import type { Plan } from '@lockstep/core/plan'
import type { ChangeToSchedule } from '../../provider/stripe/scheduled-changes.ts'
import type { ChangeInput } from './input.ts'

/** What the provider is told of a change that waits for the end of the period, as it was decided. */
export function scheduled({
  subscription,
  wanted,
  items,
  stood,
  periodEnd,
  rhythm,
}: ChangeInput): Omit<ChangeToSchedule, 'operation'> {
  return {
    subscriptionId: subscription.id,
    providerSubscription: subscription.providerId,
    items: wanted,
    changes: items,
    stood: stood?.items,
    at: periodEnd,
    interval: rhythm.interval,
    intervalCount: rhythm.intervalCount,
    changesRhythm: rhythm.isNew,
  }
}

type Rhythm = Pick<Plan, 'interval' | 'intervalCount'>

/** Periods are counted anew. */
export const hasOtherRhythm = (from: Rhythm, to: Rhythm): boolean =>
  to.interval !== from.interval || to.intervalCount !== from.intervalCount
