import { type Handlers, looksAt, records } from '../handler.ts'

export const subscriptionHandlers: Handlers = {
  'customer.subscription.created': looksAt(
    'subscription',
    'Its first period begins: usage has an invoice. One made there is made here, where subscriptions come in.',
  ),
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

  // What a schedule does to its subscription is told by the subscription, when it does it.
  'subscription_schedule.created': records('customer.subscription.updated names the schedule.'),
  'subscription_schedule.updated': records('A phase is followed when it begins.'),
  'subscription_schedule.expiring': records(
    'Its last phase ends in seven days; what that comes to is told then.',
  ),
  'subscription_schedule.completed': records('customer.subscription.updated tells what it left.'),
  'subscription_schedule.released': records('customer.subscription.updated names no schedule any more.'),
  'subscription_schedule.aborted': records('customer.subscription.deleted tells the end.'),
  'subscription_schedule.canceled': records('customer.subscription.deleted tells the end.'),
}
