import { type Handlers, looksAt, records } from '../handler.ts'

export const testClockHandlers: Handlers = {
  'test_helpers.test_clock.created': records('It is known as soon as a customer is on it.'),
  'test_helpers.test_clock.advancing': records('It is looked at when it stands still again.'),
  'test_helpers.test_clock.ready': looksAt('test_clock', 'Its customers live at another time now.'),
  'test_helpers.test_clock.internal_failure': looksAt('test_clock', 'It stands still for good.'),
  'test_helpers.test_clock.deleted': records('Its customers and their subscriptions are told of one by one.'),
}
