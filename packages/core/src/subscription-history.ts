import { type AttachedAddon, areSameAddons } from './addon.ts'
import type { Instant } from './instant.ts'
import { areSameNumbers, type ItemNumbers } from './item-numbers.ts'
import { isTerminal, type SubscriptionStatus } from './subscription.ts'

/**
 * What happens to the invoices of a subscription: they are charged, or made and not collected
 * (https://docs.stripe.com/billing/subscriptions/pause-payment). Service goes on either way.
 */
export const collections = ['charging', 'keepAsDraft', 'markUncollectible', 'void'] as const
export type Collection = (typeof collections)[number]

/** What a stretch of a subscription's history says. A change of any of it begins the next one. */
export interface HistoryState {
  readonly status: SubscriptionStatus
  readonly planVersionId: string
  readonly currency: string
  readonly quantity: number
  readonly addons: readonly AttachedAddon[]
  readonly itemNumbers: ItemNumbers
  readonly collection: Collection
  readonly cancelAt: Instant | null
  readonly cancelAtPeriodEnd: boolean
}

/** Who or what began a stretch of history. */
export const historyCauses = [
  'registration',
  /** Seen afterwards: the history begins here, or what came between is not known. */
  'found',
  'firstPayment',
  'firstPaymentFailed',
  'trialEnd',
  'paymentFailed',
  'paymentRecovered',
  'planChange',
  'cancel',
  'cancelUndone',
  'plannedEnd',
  'pause',
  'resume',
  /** Done at the provider, not by us: in its dashboard or its portal. */
  'provider',
] as const

export type HistoryCause = (typeof historyCauses)[number]

export function isSameState(a: HistoryState, b: HistoryState): boolean {
  return (
    a.status === b.status &&
    a.planVersionId === b.planVersionId &&
    a.currency === b.currency &&
    a.quantity === b.quantity &&
    areSameAddons(a.addons, b.addons) &&
    areSameNumbers(a.itemNumbers, b.itemNumbers) &&
    a.collection === b.collection &&
    a.cancelAt === b.cancelAt &&
    a.cancelAtPeriodEnd === b.cancelAtPeriodEnd
  )
}

/** What the provider says of the times and reasons of a change. */
export interface ChangeFacts {
  readonly startedAt: Instant
  readonly endedAt: Instant | null
  readonly trialEnd: Instant | null
  /** The provider's own word for why it ended: `payment_failed`, `cancellation_requested`, … */
  readonly cancellationReason: string | null
}

/**
 * Why a subscription is what it was not before. `deed` is what we are doing to it at this moment, if
 * anything: then it is that, unless the change is one that only time or a payment makes.
 */
export function causeOf(
  before: HistoryState | undefined,
  after: HistoryState,
  facts: ChangeFacts,
  deed: HistoryCause | null,
): HistoryCause {
  if (before === undefined) return 'registration'
  if (after.status === 'incomplete_expired') return deed ?? 'firstPaymentFailed'
  if (isTerminal(after.status)) return deed ?? endCause(before, after, facts)
  if (before.status !== after.status) {
    if (before.status === 'incomplete') return 'firstPayment'
    if (after.status === 'past_due' || after.status === 'unpaid') return 'paymentFailed'
    if (deed) return deed
    if (before.status === 'trialing') return 'trialEnd'
    if (isBehind(before.status) && after.status === 'active') return 'paymentRecovered'
  }
  return deed ?? 'provider'
}

/** A course that has had its payments learns only with its end when that was to be; one ended at once names no such time. */
function endCause(
  before: HistoryState,
  after: HistoryState,
  { endedAt, cancellationReason }: ChangeFacts,
): HistoryCause {
  if (cancellationReason === 'payment_failed') return 'paymentFailed'
  const planned = before.cancelAt ?? after.cancelAt
  const isPlanned = planned !== null && endedAt !== null && endedAt >= planned
  return isPlanned ? 'plannedEnd' : 'provider'
}

function isBehind(status: SubscriptionStatus): boolean {
  return status === 'past_due' || status === 'unpaid'
}

/**
 * Since when the new state holds: the provider's own moment where it names one, otherwise when we
 * learned of it. Never before the stretch that it ends (`since`), so that history keeps its order, and
 * never after `now`, so that nothing in it is guessed.
 */
export function takesEffectAt(
  before: (HistoryState & { readonly since: Instant }) | undefined,
  after: HistoryState,
  facts: ChangeFacts,
  now: Instant,
): Instant {
  if (before === undefined) return Math.min(facts.startedAt, now)
  const named = namedMoment(before, after, facts) ?? now
  return Math.max(before.since, Math.min(named, now))
}

function namedMoment(before: HistoryState, after: HistoryState, facts: ChangeFacts): Instant | null {
  if (isTerminal(after.status)) return facts.endedAt
  return before.status === 'trialing' && after.status !== 'trialing' ? facts.trialEnd : null
}
