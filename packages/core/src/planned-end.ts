import type { Cancellation, Ending, Obstacles } from './cancellation.ts'
import { Problem } from './problem.ts'

/** Who asks: the user whom a subscription belongs to, the application by its key, or whoever administers. */
export type Asker = 'user' | 'key' | 'admin'

/** Who had a hand in an end that is planned, and why. */
export interface EndPlanner {
  readonly byUser: boolean
  /** One of `cancelReasons`; null where none was given. */
  readonly reason: string | null
}

/** Whether an end is the customer's own: planned by the user, or by somebody else on the customer's word. */
export function isCustomersOwn({ byUser, reason }: EndPlanner): boolean {
  return byUser || reason === 'customer'
}

/**
 * Refuses to take away what somebody else has put in the way. Collection is paused, and resumed, by whoever
 * administers. A user takes back an end that is the customer's own; one that nobody planned here was planned
 * at the provider, where customers have a portal, and counts as theirs.
 */
export function refuseToResume(
  asker: Asker,
  { collection }: Obstacles,
  planners: readonly EndPlanner[],
): void {
  if (collection && asker !== 'admin')
    throw forbidden(
      'Collection was paused by an administrator. It takes a key with the scope subscriptions:admin.',
    )
  if (asker === 'user' && !planners.every(isCustomersOwn))
    throw forbidden(
      'The end was not planned by the customer. It takes a key with the scope subscriptions:write.',
    )
}

/** Refuses a user to put off an end that is not the customer's own. To the same second or earlier is no delay. */
export function refuseToPutOff(
  asker: Asker,
  { cancelAt, cancelAtPeriodEnd, currentPeriodEnd }: Ending,
  { when }: Cancellation,
  planners: readonly EndPlanner[],
): void {
  if (asker !== 'user' || when === 'now' || planners.every(isCustomersOwn)) return
  const planned = cancelAtPeriodEnd ? currentPeriodEnd : cancelAt
  const wanted = when === 'periodEnd' ? currentPeriodEnd : when
  if (planned !== null && wanted > planned)
    throw forbidden(
      'An earlier end is planned, and not by the customer. It takes a key with the scope subscriptions:write.',
    )
}

const forbidden = (why: string) => new Problem('forbidden', why)
