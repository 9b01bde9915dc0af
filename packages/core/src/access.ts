import type { Instant } from './instant.ts'
import type { SubscriptionStatus } from './subscription.ts'

/** What a customer may use now. `grace`: a payment failed and is being tried again. */
export type Access = 'full' | 'grace' | 'inactive' | 'ended'

/**
 * The one table that says what a status means for access; SQL is made of it too. It knows no dates:
 * access begins and ends when the provider says so, and until then the last word of the provider holds.
 */
export const accessByStatus: Readonly<Record<SubscriptionStatus, Access>> = {
  // Nothing was paid yet.
  incomplete: 'inactive',
  incomplete_expired: 'ended',
  trialing: 'full',
  active: 'full',
  // The provider still tries to collect; what happens after the last try is its own setting.
  past_due: 'grace',
  unpaid: 'inactive',
  paused: 'inactive',
  canceled: 'ended',
}

/** How long a catalogue lets an overdue payment be; null: as long as the provider tries to collect it. */
export interface Grace {
  readonly days: number | null
}

const SECONDS_PER_DAY = 86_400

/** What access rests on: the provider's status, and since when a payment is overdue. */
export interface AccessFacts {
  readonly status: SubscriptionStatus
  /** Null while none is. */
  readonly pastDueSince: Instant | null
}

/**
 * What a customer may use at a moment of the customer's own time. The one date in it is the end of
 * grace, which is the catalogue's and no guess: it ends access early, and nothing ever prolongs it.
 */
export function accessOf(facts: AccessFacts, grace: Grace, at: Instant): Access {
  const access = accessByStatus[facts.status]
  const end = graceEndOf(facts, grace)
  return end !== null && at >= end ? 'inactive' : access
}

/** When an overdue payment ends access; the second of it is without. Null where nothing is, or without an end. */
export function graceEndOf({ status, pastDueSince }: AccessFacts, { days }: Grace): Instant | null {
  if (accessByStatus[status] !== 'grace' || pastDueSince === null || days === null) return null
  return pastDueSince + days * SECONDS_PER_DAY
}

/** Whether something may be used under it. */
export function isUsable(access: Access): boolean {
  return access === 'full' || access === 'grace'
}
