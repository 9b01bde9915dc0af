import { expect, test } from 'vitest'
import fc from '../../../test/support/fast-check.ts'
import { isLive, isTerminal, mayBecome, subscriptionStatuses } from './subscription.ts'

const statuses = fc.constantFrom(...subscriptionStatuses)

// What each may be seen as later, in any number of steps (Stripe's transitions).
test.each([
  ['incomplete', 'incomplete_expired trialing active past_due unpaid canceled paused'],
  ['incomplete_expired', ''],
  ['trialing', 'active past_due unpaid canceled paused'],
  ['active', 'trialing past_due unpaid canceled paused'],
  ['past_due', 'trialing active unpaid canceled paused'],
  ['unpaid', 'trialing active past_due canceled paused'],
  ['canceled', ''],
  ['paused', 'trialing active past_due unpaid canceled'],
] as const)('%s may become %s', (from, expected) => {
  const later = subscriptionStatuses.filter((to) => to !== from && mayBecome(from, to))
  expect(later.join(' ')).toBe(expected)
})

test('what may become something in two steps may become it', () => {
  fc.assert(
    fc.property(statuses, statuses, statuses, (a, b, c) => {
      expect(mayBecome(a, a)).toBe(true)
      if (mayBecome(a, b) && mayBecome(b, c)) expect(mayBecome(a, c)).toBe(true)
    }),
  )
})

test('nothing leaves a terminal state, and everything else can end', () => {
  fc.assert(
    fc.property(statuses, statuses, (from, to) => {
      if (isTerminal(from)) expect(mayBecome(from, to)).toBe(from === to)
      else expect(mayBecome(from, 'canceled')).toBe(true)
      expect(isLive(from)).toBe(!isTerminal(from))
    }),
  )
})
