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

export function accessOf(status: SubscriptionStatus): Access {
  return accessByStatus[status]
}

/** Whether something may be used under it. */
export function isUsable(access: Access): boolean {
  return access === 'full' || access === 'grace'
}
