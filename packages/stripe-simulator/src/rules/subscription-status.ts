/** The statuses of a subscription. https://docs.stripe.com/api/subscriptions/object#subscription_object-status */
export type SubscriptionStatus =
  | 'incomplete'
  | 'incomplete_expired'
  | 'trialing'
  | 'active'
  | 'past_due'
  | 'unpaid'
  | 'paused'
  | 'canceled'

/** What can happen to a subscription that moves its status. */
export type StatusCause =
  | 'first_payment_due'
  | 'first_payment_made'
  | 'first_payment_made_in_trial'
  | 'first_payment_expired'
  | 'trial_started'
  | 'trial_ended'
  | 'payment_failed'
  | 'payment_overdue'
  | 'retries_exhausted'
  | 'debt_settled'
  | 'paused'
  | 'resumed'
  | 'resumed_unpaid'
  | 'ended'

/**
 * The state machine: what each cause makes of each status. What is not here does not happen; `canceled` and
 * `incomplete_expired` are on no left side, so nothing leaves them.
 * https://docs.stripe.com/billing/subscriptions/overview#subscription-lifecycle
 */
const MOVES: Record<StatusCause, Partial<Record<SubscriptionStatus, SubscriptionStatus>>> = {
  // From `trialing` where a trial begins with something to pay, a setup fee.
  first_payment_due: { active: 'incomplete', trialing: 'incomplete' },
  first_payment_made: { incomplete: 'active' },
  first_payment_made_in_trial: { incomplete: 'trialing' },
  first_payment_expired: { incomplete: 'incomplete_expired' },
  trial_started: { active: 'trialing', past_due: 'trialing', unpaid: 'trialing', trialing: 'trialing' },
  trial_ended: { trialing: 'active' },
  payment_failed: { active: 'past_due' },
  payment_overdue: { active: 'past_due' },
  // With the account's setting `unpaid`; the others end it or leave it past due.
  retries_exhausted: { past_due: 'unpaid' },
  debt_settled: { past_due: 'active', unpaid: 'active' },
  // From `trialing` only where a trial ends without a payment method.
  paused: { active: 'paused', past_due: 'paused', unpaid: 'paused', trialing: 'paused' },
  resumed: { paused: 'active' },
  resumed_unpaid: { paused: 'past_due' },
  ended: {
    incomplete: 'canceled',
    trialing: 'canceled',
    active: 'canceled',
    past_due: 'canceled',
    unpaid: 'canceled',
    paused: 'canceled',
  },
}

/** The status after a cause, or undefined where it moves nothing. */
export function statusAfter(status: string, cause: StatusCause): SubscriptionStatus | undefined {
  return MOVES[cause][status as SubscriptionStatus]
}

/** The status after a cause that must move it: to be asked for another is a bug of ours. */
export function moved(
  { id, status }: { readonly id: string; readonly status: string },
  cause: StatusCause,
): { status: SubscriptionStatus } {
  const next = statusAfter(status, cause)
  if (next === undefined) throw new Error(`${id} is ${status}: ${cause} cannot happen to it`)
  return { status: next }
}
