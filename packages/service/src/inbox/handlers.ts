import type { Observed } from '../workflow/observe.ts'

export interface Handler {
  /** What is brought up to date. The event itself is only the reason to look. */
  readonly observes: Observed['type']
  /** Why we listen to it. */
  readonly because: string
  /** The object is no more: the payload is what it was, and says nothing of what it is. */
  readonly isEnd?: boolean
}

const looksAt = (observes: Handler['observes'], because: string): Handler => ({ observes, because })

const looksForGone = (observes: Handler['observes'], because: string): Handler => ({
  observes,
  because,
  isEnd: true,
})

/** Every event of Stripe's that we act on; a webhook endpoint has to send these. All others are kept as ignored. */
export const handlers: Readonly<Record<string, Handler>> = {
  'customer.created': looksAt('customer', 'It may be ours, made by a call whose answer was lost.'),
  'customer.updated': looksAt('customer', 'A card became the default, or a payment is overdue.'),
  'customer.deleted': looksForGone(
    'customer',
    'Its subscriptions are over, and nothing can be charged any more.',
  ),

  'customer.subscription.created': looksAt('subscription', 'Its first period begins: usage has an invoice.'),
  'customer.subscription.updated': looksAt(
    'subscription',
    'A period began, a payment failed, a plan changed.',
  ),
  'customer.subscription.deleted': looksAt('subscription', 'It is over: access ends, the slot is free.'),
  'customer.subscription.paused': looksAt('subscription', 'Access stops until it is resumed.'),
  'customer.subscription.resumed': looksAt('subscription', 'Access is back, perhaps with a new anchor.'),
  'customer.subscription.trial_will_end': looksAt('subscription', 'The first payment is three days away.'),
  'customer.subscription.pending_update_applied': looksAt('subscription', 'A change was paid for.'),
  'customer.subscription.pending_update_expired': looksAt('subscription', 'A change was not paid for.'),

  'invoice.created': looksAt('invoice', 'A period is over: its lines are sent for the last time.'),
  'invoice.updated': looksAt('invoice', 'An amount, an attempt or a date of it changed.'),
  'invoice.finalized': looksAt('invoice', 'It changes no more: its lines are written down.'),
  'invoice.finalization_failed': looksAt('invoice', 'It stays a draft, and somebody has to look.'),
  'invoice.paid': looksAt('invoice', 'The customer owes nothing for this period any more.'),
  'invoice.payment_failed': looksAt('invoice', 'The customer still owes it.'),
  'invoice.payment_action_required': looksAt('invoice', 'The customer has to confirm the payment.'),
  'invoice.overpaid': looksAt('invoice', 'More was paid than was due.'),
  'invoice.voided': looksAt('invoice', 'It never was.'),
  'invoice.marked_uncollectible': looksAt('invoice', 'It was given up; it may still be paid.'),
  'invoice.deleted': looksForGone('invoice', 'The draft is gone, and what stood on it has to be sent again.'),

  'credit_note.created': looksAt('credit_note', 'An amount was taken off an invoice.'),
  'credit_note.updated': looksAt('credit_note', 'Something of it changed.'),
  'credit_note.voided': looksAt('credit_note', 'It never was: the amount is due again.'),

  'refund.created': looksAt('refund', 'Money went back, here or in the dashboard.'),
  'refund.updated': looksAt('refund', 'The bank took it, or did not.'),
  'refund.failed': looksAt('refund', 'The bank sent it back: it counts as never made.'),

  'checkout.session.completed': looksAt(
    'checkout_session',
    'The customer left a payment method: the registration goes on.',
  ),
  'checkout.session.expired': looksAt('checkout_session', 'The customer did not come: it is undone.'),

  'test_helpers.test_clock.ready': looksAt('test_clock', 'Its customers live at another time now.'),
  'test_helpers.test_clock.internal_failure': looksAt('test_clock', 'It stands still for good.'),
}

/** `invoice.upcoming` and the like: about an invoice that does not exist, so there is nothing to look at. */
export function handlerOf(type: string): Handler | undefined {
  return Object.hasOwn(handlers, type) ? handlers[type] : undefined
}

/** What decides whether an event is looked at. */
export interface Addressed {
  readonly type: string
  readonly objectId: string
  readonly livemode: boolean
  /** Only events of connected accounts name one. */
  readonly account: unknown
}

/** Why an event is kept but not looked at; null if it is. */
export function whyIgnored(event: Addressed, { livemode }: { readonly livemode: boolean }): string | null {
  if (event.livemode !== livemode) return 'other_mode'
  if (event.account !== undefined && event.account !== null) return 'other_account'
  return handlerOf(event.type) === undefined || event.objectId === '' ? 'unhandled_type' : null
}
