export const subscriptionStatuses = [
  'incomplete',
  'incomplete_expired',
  'trialing',
  'active',
  'past_due',
  'unpaid',
  'canceled',
  'paused',
] as const

/** Stripe's eight, by Stripe's names. */
export type SubscriptionStatus = (typeof subscriptionStatuses)[number]

/** One step at Stripe. Adding a trial to a running subscription makes it `trialing` again. */
const steps: Record<SubscriptionStatus, readonly SubscriptionStatus[]> = {
  incomplete: ['active', 'incomplete_expired', 'canceled'],
  incomplete_expired: [],
  trialing: ['active', 'past_due', 'paused', 'canceled'],
  active: ['trialing', 'past_due', 'paused', 'canceled'],
  past_due: ['active', 'unpaid', 'canceled'],
  unpaid: ['active', 'canceled'],
  canceled: [],
  paused: ['active', 'canceled'],
}

/** Over for good: Stripe never revives it, the customer starts a new one. */
export function isTerminal(status: SubscriptionStatus): boolean {
  return steps[status].length === 0
}

/** Holds the customer's slot: also while unpaid, paused or waiting for the first payment. */
export function isLive(status: SubscriptionStatus): boolean {
  return !isTerminal(status)
}

/**
 * Whether a subscription seen as `from` may be seen as `to` later, in any number of steps: we see
 * states of it, not every step between them. Nothing leaves a terminal state, nothing becomes
 * `incomplete` again. What this calls impossible is a stale answer: look again.
 */
export function mayBecome(from: SubscriptionStatus, to: SubscriptionStatus): boolean {
  const reached = new Set<SubscriptionStatus>([from])
  // A set visits what is added to it on the way.
  for (const status of reached) for (const next of steps[status]) reached.add(next)
  return reached.has(to)
}
