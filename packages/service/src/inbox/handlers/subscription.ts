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

  'subscription_schedule.created': looksAt('subscription_schedule', 'Somebody plans a change.'),
  'subscription_schedule.updated': looksAt(
    'subscription_schedule',
    'Something else is planned, or a phase began.',
  ),
  'subscription_schedule.released': looksAt('subscription_schedule', 'What was planned does not come.'),
  'subscription_schedule.canceled': looksAt('subscription_schedule', 'What was planned does not come.'),
  'subscription_schedule.aborted': looksAt('subscription_schedule', 'What was planned does not come.'),
  'subscription_schedule.completed': looksAt('subscription_schedule', 'Nothing is planned any more.'),
  'subscription_schedule.expiring': records(
    'Its last phase ends in seven days; what that comes to is told then.',
  ),
}
