import type { ChangeToSchedule } from '../../provider/stripe/scheduled-changes.ts'
import type { ChangeInput } from './input.ts'

/** What the provider is told of a change that waits for the end of the period. */
export function scheduled(
  { subscription, wanted, items, stood, periodEnd, rhythm }: ChangeInput,
  operation: string,
): ChangeToSchedule {
  return {
    operation,
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
