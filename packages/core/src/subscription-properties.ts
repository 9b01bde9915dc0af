import { child } from './pointer.ts'
import type { Fault } from './problem.ts'

/**
 * Who may change a property: `user`, whoever the subscription belongs to; `admin`, who may change
 * anybody's; `provider`, nobody here: it says what is so, and follows from what was done.
 */
export type ChangedBy = 'user' | 'admin' | 'provider'

interface Property {
  readonly changedBy: ChangedBy
  /** How it changes, in a sentence. */
  readonly how: string
}

const user = (how: string): Property => ({ changedBy: 'user', how })
const admin = (how: string): Property => ({ changedBy: 'admin', how })
const provider = (how: string): Property => ({ changedBy: 'provider', how })

/**
 * The one declaration of who may change what of a subscription. Enforcement, the schema of the request
 * and the table in the documentation are made of it.
 */
export const subscriptionProperties = {
  plan: user('The plan, by its key. Plans for the operator to give are refused to others.'),
  quantity: user(
    'Of the recurring prices: seats, for example. The new number, not a difference. Unsaid it stays, and is 1 for a plan that has no price by number.',
  ),
  addons: user(
    'Add-ons with their new numbers, 0 to detach one; what is not named stays. Some are for the operator to give.',
  ),
  coupons: user('Coupons to redeem beside those that run, by their keys; one that runs is no mistake.'),
  withoutCoupons: user('Coupons to take off it, by their keys; one that is off it already is no mistake.'),
  trial: user('`end` ends the trial now; a trial stays as long as it was otherwise.'),
  paymentMethod: user('What is charged from now on, by its id at the provider.'),
  paymentPage: user('Instead of a payment method: the customer leaves one on a page of the provider.'),
  email: user("The customer's address."),
  name: user("The customer's name."),
  when: admin('When it takes effect, instead of what the catalogue says: `now` or `periodEnd`.'),
  trialEnd: admin('Another end of the trial that runs.'),
  id: provider('Given when it is registered.'),
  customer: provider('A subscription stays with its customer.'),
  externalId: provider('A subscription stays with its customer.'),
  slot: provider('Given when it is registered.'),
  planVersion: provider('The newest one of the plan that is chosen.'),
  currency: provider('A customer pays in one currency from the first subscription on.'),
  status: provider('What the provider says of it.'),
  access: provider('Follows from the status.'),
  billingCycleAnchor: provider('Set when periods begin anew.'),
  currentPeriod: provider('What the provider says of it.'),
  cancelAt: provider('Set by canceling and undone by resuming.'),
  cancelAtPeriodEnd: provider('Set by canceling and undone by resuming.'),
  canceledAt: provider('Set by canceling and undone by resuming.'),
  endedAt: provider('Set when it is over.'),
  startedAt: provider('Set when it begins.'),
  pastDueSince: provider('Set while a payment is overdue.'),
  graceEndsAt: provider('Follows from the catalogue’s grace.'),
  collection: provider('Set by pausing and undone by resuming.'),
  collectionResumesAt: provider('Set by pausing and undone by resuming.'),
  modifiedAt: provider('Set with every change.'),
  scheduledChange: provider('Set by a change that waits for the end of the period.'),
  unreadSchedule: provider('Set while what is planned there cannot be said here.'),
  providerId: provider('Given by the provider.'),
  createdAt: provider('Set when it is recorded.'),
  discounts: provider(
    'Follows from the coupons, and from what the provider was told elsewhere; shown where it is asked for.',
  ),
  mappings: provider('Made when it is linked; shown where they are asked for.'),
} as const satisfies Readonly<Record<string, Property>>

export type SubscriptionProperty = keyof typeof subscriptionProperties

export const propertyNames = Object.keys(subscriptionProperties) as SubscriptionProperty[]

/** The properties of a request that whoever asks may not change, each by its pointer. */
export function forbiddenProperties(
  request: Readonly<Record<string, unknown>>,
  { isAdmin }: { readonly isAdmin: boolean },
): Fault[] {
  return propertyNames
    .filter((name) => request[name] !== undefined)
    .flatMap((name) => {
      const { changedBy, how } = subscriptionProperties[name]
      if (changedBy === 'user' || (changedBy === 'admin' && isAdmin)) return []
      const code = changedBy === 'admin' ? 'admin_only' : 'read_only'
      return [{ pointer: child('#', name), code, detail: how }]
    })
}
