import type { Instant } from './instant.ts'
import { type Fault, Problem } from './problem.ts'
import { isTerminal, type SubscriptionStatus } from './subscription.ts'
import type { Collection } from './subscription-history.ts'

/** Why somebody ends a subscription, where it is us who are told. */
export const cancelReasons = [
  'customer',
  'admin',
  'nonPayment',
  /** The customer's bank asked for a confirmation that never came. */
  'authentication',
  'fraud',
  'other',
] as const
export type CancelReason = (typeof cancelReasons)[number]

/** What becomes of time that was paid for and is not used: nothing, credit for later invoices, or money back. */
export const unusedTimes = ['keep', 'credit', 'refund'] as const
export type UnusedTime = (typeof unusedTimes)[number]

export interface Cancellation {
  /** An instant: at that date, in the middle of whatever period. */
  readonly when: 'now' | 'periodEnd' | Instant
  readonly unusedTime: UnusedTime
}

/** A subscription as far as ending it, and undoing that, is concerned. */
export interface Ending {
  readonly status: SubscriptionStatus
  readonly collection: Collection
  readonly cancelAt: Instant | null
  readonly cancelAtPeriodEnd: boolean
  readonly currentPeriodEnd: Instant
}

/** Refuses to end what is over, a date that has passed, and to give back what nobody has paid. */
export function checkCancellation(ending: Ending, { when, unusedTime }: Cancellation, now: Instant): void {
  refuseOver(ending)
  const faults: Fault[] = []
  const fault = (pointer: string, code: string, detail: string) => faults.push({ pointer, code, detail })
  if (typeof when === 'number' && when <= now) fault('#/at', 'not_in_future', 'The date has passed.')
  if (unusedTime !== 'keep') {
    if (when !== 'now')
      fault('#/unusedTime', 'not_unused', 'Time is given back only where the subscription ends now.')
    // Of the first payment, a trial or an open renewal nothing was paid that could be given back.
    else if (ending.status !== 'active')
      fault('#/unusedTime', 'not_paid', `Nothing was paid for the running period: it is ${ending.status}.`)
  }
  const [first] = faults
  if (first) throw new Problem('invalid_request', first.detail, { faults })
}

/** Whether it is going to end just so already: asked again, there is nothing to do. */
export function endsAlready(ending: Ending, { when }: Cancellation): boolean {
  if (when === 'now') return false
  return when === 'periodEnd'
    ? ending.cancelAtPeriodEnd
    : ending.cancelAt === when && !ending.cancelAtPeriodEnd
}

/** Refuses whatever would change a subscription that is over: it is never revived, only begun anew. */
export function refuseOver({ status }: Pick<Ending, 'status'>): void {
  if (isTerminal(status)) throw new Problem('subscription_over', `The subscription is ${status}.`)
}

/** What keeps a subscription from going on. */
export interface Obstacles {
  readonly plannedEnd: boolean
  readonly collection: boolean
  readonly pause: boolean
}

/** What is in the way of going on; a refusal where nothing is. */
export function obstaclesOf(ending: Ending): Obstacles {
  refuseOver(ending)
  const found = {
    plannedEnd: ending.cancelAt !== null || ending.cancelAtPeriodEnd,
    collection: ending.collection !== 'charging',
    pause: ending.status === 'paused',
  }
  if (!found.plannedEnd && !found.collection && !found.pause) {
    throw new Problem('nothing_to_resume', 'Nothing keeps the subscription from going on.')
  }
  return found
}
