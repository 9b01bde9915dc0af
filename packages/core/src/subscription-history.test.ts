import { expect, test } from 'vitest'
import fc from '../../../test/support/fast-check.ts'
import type { ItemNumbers } from './item-numbers.ts'
import { subscriptionStatuses } from './subscription.ts'
import {
  type ChangeFacts,
  causeOf,
  collections,
  type HistoryState,
  isSameState,
  takesEffectAt,
} from './subscription-history.ts'

const running: HistoryState = {
  status: 'active',
  planVersionId: 'plan_version_1',
  currency: 'usd',
  quantity: 1,
  addons: [],
  itemNumbers: {},
  collection: 'charging',
  cancelAt: null,
  cancelAtPeriodEnd: false,
}
const facts: ChangeFacts = { startedAt: 100, endedAt: null, trialEnd: null, cancellationReason: null }

test.each<[string, HistoryState | undefined, HistoryState, Partial<ChangeFacts>, string]>([
  ['it was not there before', undefined, running, {}, 'registration'],
  ['the first payment was made', { ...running, status: 'incomplete' }, running, {}, 'firstPayment'],
  [
    'the first payment was not made in time',
    { ...running, status: 'incomplete' },
    { ...running, status: 'incomplete_expired' },
    {},
    'firstPaymentFailed',
  ],
  ['its trial was over', { ...running, status: 'trialing' }, running, { trialEnd: 500 }, 'trialEnd'],
  ['a renewal was not paid', running, { ...running, status: 'past_due' }, {}, 'paymentFailed'],
  ['it was paid after all', { ...running, status: 'past_due' }, running, {}, 'paymentRecovered'],
  [
    'nobody paid to the end',
    { ...running, status: 'past_due' },
    { ...running, status: 'canceled' },
    { endedAt: 900, cancellationReason: 'payment_failed' },
    'paymentFailed',
  ],
  [
    'its planned end came',
    { ...running, cancelAt: 900, cancelAtPeriodEnd: true },
    { ...running, status: 'canceled' },
    { endedAt: 900, cancellationReason: 'cancellation_requested' },
    'plannedEnd',
  ],
  [
    'somebody ended it in the dashboard before its planned end',
    { ...running, cancelAt: 900 },
    { ...running, status: 'canceled' },
    { endedAt: 800, cancellationReason: 'cancellation_requested' },
    'provider',
  ],
  [
    'a course that has had its payments is over, and says only then that this was planned',
    running,
    { ...running, status: 'canceled', cancelAt: 900 },
    { endedAt: 900, cancellationReason: null },
    'plannedEnd',
  ],
  [
    'somebody ended it at once',
    running,
    { ...running, status: 'canceled' },
    { endedAt: 900, cancellationReason: 'cancellation_requested' },
    'provider',
  ],
  ['somebody changed it in the dashboard', running, { ...running, quantity: 3 }, {}, 'provider'],
])('%s', (_, before, after, more, cause) => {
  expect(causeOf(before, after, { ...facts, ...more }, null)).toBe(cause)
})

test('what we do to it is the cause, but not of a payment that fails meanwhile', () => {
  expect(causeOf(running, { ...running, status: 'canceled' }, { ...facts, endedAt: 5 }, 'cancel')).toBe(
    'cancel',
  )
  expect(causeOf(running, { ...running, status: 'past_due' }, facts, 'cancel')).toBe('paymentFailed')
})

const states = fc.record({
  status: fc.constantFrom(...subscriptionStatuses),
  planVersionId: fc.constantFrom('plan_version_1', 'plan_version_2'),
  currency: fc.constant('usd'),
  quantity: fc.constantFrom(1, 2),
  itemNumbers: fc.constantFrom<ItemNumbers>({}, { care: 2 }),
  addons: fc.constantFrom(
    [],
    [{ addon: 'backups', version: 1, quantity: 1 }],
    [{ addon: 'backups', version: 1, quantity: 2 }],
  ),
  collection: fc.constantFrom(...collections),
  cancelAt: fc.option(fc.constantFrom(300, 600)),
  cancelAtPeriodEnd: fc.boolean(),
})
const moments = fc.record({
  startedAt: fc.nat(1000),
  endedAt: fc.option(fc.nat(1000)),
  trialEnd: fc.option(fc.nat(1000)),
  cancellationReason: fc.constantFrom(null, 'payment_failed'),
})

test('a change never takes effect before the stretch that it ends, and never in the future', () => {
  fc.assert(
    fc.property(states, states, moments, fc.nat(1000), fc.nat(1000), (before, after, seen, since, later) => {
      const now = since + later
      const at = takesEffectAt({ ...before, since }, after, seen, now)
      expect(at).toBeGreaterThanOrEqual(since)
      expect(at).toBeLessThanOrEqual(now)
      expect(takesEffectAt(undefined, after, seen, now)).toBeLessThanOrEqual(now)
      expect(isSameState(before, before)).toBe(true)
      expect(isSameState(before, after)).toBe(isSameState(after, before))
    }),
  )
})

test('an end that we hear of late took effect when the provider says', () => {
  const ended = { ...running, status: 'canceled' as const }
  expect(takesEffectAt({ ...running, since: 100 }, ended, { ...facts, endedAt: 700 }, 900)).toBe(700)
  const trial = { ...running, status: 'trialing' as const, since: 100 }
  expect(takesEffectAt(trial, running, { ...facts, trialEnd: 600 }, 900)).toBe(600)
  // Its trial was ended before its time: nobody says when.
  expect(takesEffectAt(trial, running, { ...facts, trialEnd: 2000 }, 900)).toBe(900)
})
