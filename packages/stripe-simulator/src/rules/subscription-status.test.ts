// docs.stripe.com/billing/subscriptions/overview#subscription-lifecycle
import { describe, expect, test } from 'vitest'
import { moved, type StatusCause, statusAfter } from './subscription-status.ts'

const causes: StatusCause[] = [
  'first_payment_due',
  'first_payment_made',
  'first_payment_made_in_trial',
  'first_payment_expired',
  'trial_started',
  'trial_ended',
  'payment_failed',
  'payment_overdue',
  'retries_exhausted',
  'debt_settled',
  'paused',
  'resumed',
  'resumed_unpaid',
  'ended',
]

describe('the states of a subscription', () => {
  test.each([
    ['incomplete', ['first_payment_made'], 'active'],
    ['incomplete', ['first_payment_expired'], 'incomplete_expired'],
    ['trialing', ['first_payment_due', 'first_payment_made_in_trial'], 'trialing'],
    ['trialing', ['trial_ended', 'payment_failed'], 'past_due'],
    ['active', ['payment_failed', 'retries_exhausted', 'debt_settled'], 'active'],
    ['active', ['payment_overdue', 'ended'], 'canceled'],
    ['trialing', ['paused', 'resumed'], 'active'],
    ['past_due', ['paused', 'resumed_unpaid'], 'past_due'],
    ['paused', ['ended'], 'canceled'],
  ] as const)('%s, then %j: %s', (from, path, to) => {
    const end = path.reduce<string>((status, cause) => moved({ id: 'sub_1', status }, cause).status, from)
    expect(end).toBe(to)
  })

  test.each(['canceled', 'incomplete_expired'])('nothing leaves %s', (terminal) => {
    for (const cause of causes) expect(statusAfter(terminal, cause)).toBeUndefined()
    expect(() => moved({ id: 'sub_1', status: terminal }, 'ended')).toThrow('sub_1 is')
  })

  test('an unpaid first invoice is not a late one', () => {
    expect(statusAfter('incomplete', 'payment_failed')).toBeUndefined()
    expect(statusAfter('incomplete', 'paused')).toBeUndefined()
    expect(statusAfter('paused', 'payment_failed')).toBeUndefined()
  })
})
