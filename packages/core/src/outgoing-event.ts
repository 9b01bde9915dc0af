import { type AttachedAddon, areSameAddons } from './addon.ts'
import { type InvoiceStatus, isFrozen } from './invoice.ts'
import type { CreditNoteStatus, RefundStatus } from './money-back.ts'
import { isTerminal, type SubscriptionStatus } from './subscription.ts'
import type { Collection } from './subscription-history.ts'

/**
 * Everything that an application is told of, with when it is. A name is part of the API: never renamed,
 * never reused.
 */
export const outgoingEvents = {
  'customer.created': 'A customer is known here.',
  'customer.updated':
    'The name or the e-mail address changed, or the payment provider has the customer again.',
  'customer.deleted': 'Who the customer is was erased.',
  'customer.deleted_at_provider': 'The payment provider has the customer no more: nothing can be charged.',
  'registration.completed': 'The registration has come to its end, and what was bought is there.',
  'registration.requires_action': 'The customer has to do something before it goes on: see `action`.',
  'registration.failed': 'It was refused or given up, and what it had made is undone.',
  'registration.parked': 'It stopped, and a person has to look.',
  'subscription.started': 'It runs: its first payment was made, or none was needed.',
  'subscription.changed':
    'Its plan, number, add-ons, period, trial, planned end or way of not collecting is another, or it was paid again.',
  'subscription.trial_ending': 'Its trial ends in three days, or sooner where the trial is shorter.',
  'subscription.past_due': 'A payment is overdue.',
  'subscription.unpaid': 'The payment provider gave up collecting.',
  'subscription.paused': 'It was paused, or its invoices are not collected for now.',
  'subscription.resumed': 'It goes on after a pause.',
  'subscription.canceled': 'It is over; also one whose first payment was never made.',
  'plan_change.requires_action': 'The customer has to confirm the payment before it is made.',
  'plan_change.scheduled': 'It will be made when the period is over.',
  'plan_change.effective': 'The subscription is on the other plan or number.',
  'plan_change.withdrawn': 'It was scheduled, and will not be made.',
  'plan_change.refused': 'It came to nothing.',
  'invoice.finalized': 'Its lines never change again.',
  'invoice.paid': 'Nothing of it is owed any more.',
  'invoice.payment_failed': 'An attempt to collect it failed; once for each attempt.',
  'invoice.payment_action_required': 'The customer has to confirm the payment.',
  'invoice.voided': 'It is not owed any more.',
  'invoice.uncollectible': 'It is still owed, and nobody collects it.',
  'spend_limit.alert_reached': 'Usage came to a figure that somebody wants to hear of; once in a period.',
  'spend_limit.cap_reached': 'Usage came to its cap, and its features are used up; once in a period.',
  'refund.created': 'Money goes back to whoever paid.',
  'refund.updated': 'How it stands at the payment provider is another.',
  'refund.failed': 'The money did not arrive, and is back with the seller.',
  'dispute.created': 'A bank takes a payment back, or asks about one. It is answered at the provider.',
  'dispute.updated': 'How it stands with the bank is another.',
  'dispute.closed': 'It is decided: see `status`.',
  'credit_note.created': 'An amount was taken off a final invoice.',
  'credit_note.voided': 'The credit note does not hold any more.',
} as const

export type OutgoingEventType = keyof typeof outgoingEvents

export const outgoingEventTypes = Object.keys(outgoingEvents) as OutgoingEventType[]

/** What of a subscription makes an event. Times are as they were read: they are only held against each other. */
export interface SubscriptionStanding {
  readonly status: SubscriptionStatus
  readonly collection: Collection
  readonly planVersionId: string
  readonly quantity: number
  /** In the order of their names. */
  readonly addons: readonly AttachedAddon[]
  readonly currentPeriodEnd: unknown
  readonly trialEnd: unknown
  readonly cancelAt: unknown
  readonly cancelAtPeriodEnd: boolean
}

/**
 * What a change of a subscription is called. Where its status says it, that is the first word; `changed`
 * is said beside it where something else is another too, so that whoever waits for it misses nothing.
 */
export function subscriptionEvents(
  before: SubscriptionStanding | null,
  after: SubscriptionStanding,
): OutgoingEventType[] {
  if (after.status === 'incomplete') return []
  if (before === null || before.status === 'incomplete') {
    if (!isTerminal(after.status)) return ['subscription.started']
    return before === null ? [] : ['subscription.canceled']
  }
  const turned = turnOf(before, after)
  if (isTerminal(after.status)) return turned
  const isPaidAgain = before.status !== after.status && turned.length === 0
  return isPaidAgain || !isSameBargain(before, after) ? [...turned, 'subscription.changed'] : turned
}

function turnOf(before: SubscriptionStanding, after: SubscriptionStanding): OutgoingEventType[] {
  if (before.status !== after.status) {
    if (isTerminal(after.status)) return ['subscription.canceled']
    if (after.status === 'past_due') return ['subscription.past_due']
    if (after.status === 'unpaid') return ['subscription.unpaid']
    if (after.status === 'paused') return ['subscription.paused']
    if (before.status === 'paused') return ['subscription.resumed']
  }
  const wasCharging = before.collection === 'charging'
  const isCharging = after.collection === 'charging'
  if (wasCharging === isCharging) return []
  return [isCharging ? 'subscription.resumed' : 'subscription.paused']
}

function isSameBargain(a: SubscriptionStanding, b: SubscriptionStanding): boolean {
  return (
    a.planVersionId === b.planVersionId &&
    a.quantity === b.quantity &&
    areSameAddons(a.addons, b.addons) &&
    isSameCollection(a.collection, b.collection) &&
    a.currentPeriodEnd === b.currentPeriodEnd &&
    a.trialEnd === b.trialEnd &&
    a.cancelAt === b.cancelAt &&
    a.cancelAtPeriodEnd === b.cancelAtPeriodEnd
  )
}

/** Where one of them is charging, it was paused or resumed, and that is its word. */
function isSameCollection(a: Collection, b: Collection): boolean {
  return a === b || a === 'charging' || b === 'charging'
}

/** Seen late, an invoice may be finalized and paid at once: both are said, in that order. */
export function invoiceEvents(before: InvoiceStatus, after: InvoiceStatus): OutgoingEventType[] {
  if (!isFrozen(after) || before === after) return []
  const finalized: OutgoingEventType[] = isFrozen(before) ? [] : ['invoice.finalized']
  const last = invoiceEnds[after]
  return last === undefined ? finalized : [...finalized, last]
}

const invoiceEnds: Partial<Record<InvoiceStatus, OutgoingEventType>> = {
  paid: 'invoice.paid',
  void: 'invoice.voided',
  uncollectible: 'invoice.uncollectible',
}

const atProvider = (status: RefundStatus | null) =>
  status !== null && status !== 'making' && status !== 'refused'

export function refundEvents(before: RefundStatus | null, after: RefundStatus): OutgoingEventType[] {
  if (!atProvider(after) || before === after) return []
  const created: OutgoingEventType[] = atProvider(before) ? [] : ['refund.created']
  if (after === 'failed') return [...created, 'refund.failed']
  return created.length > 0 ? created : ['refund.updated']
}

export function creditNoteEvents(
  before: CreditNoteStatus | null,
  after: CreditNoteStatus,
): OutgoingEventType[] {
  if (before === after || (after !== 'issued' && after !== 'void')) return []
  const created: OutgoingEventType[] = before === 'issued' || before === 'void' ? [] : ['credit_note.created']
  return after === 'void' ? [...created, 'credit_note.voided'] : created
}
