import { expect, test } from 'vitest'
import fc from '../../../test/support/fast-check.ts'
import { accessOf, graceEndOf, isUsable } from './access.ts'
import { subscriptionStatuses } from './subscription.ts'

const DAY = 86_400

test('past due means past due: grace, not full access and not none', () => {
  const facts = { pastDueSince: null }
  const access = (status: (typeof subscriptionStatuses)[number]) =>
    accessOf({ ...facts, status }, { days: null }, 0)
  expect(Object.fromEntries(subscriptionStatuses.map((status) => [status, access(status)]))).toEqual({
    incomplete: 'inactive',
    incomplete_expired: 'ended',
    trialing: 'full',
    active: 'full',
    past_due: 'grace',
    unpaid: 'inactive',
    canceled: 'ended',
    paused: 'inactive',
  })
})

test.each([
  [14, 14 * DAY - 1, 'grace'],
  [14, 14 * DAY, 'inactive'],
  [0, 0, 'inactive'],
  [null, 400 * DAY, 'grace'],
] as const)(
  'with %s days of grace, %i seconds after the payment failed, access is %s',
  (days, after, access) => {
    const since = 1_000_000
    expect(accessOf({ status: 'past_due', pastDueSince: since }, { days }, since + after)).toBe(access)
  },
)

const facts = fc.record({
  status: fc.constantFrom(...subscriptionStatuses),
  pastDueSince: fc.option(fc.integer({ min: 0, max: 4_000_000_000 })),
})
const grace = fc.record({ days: fc.option(fc.integer({ min: 0, max: 365 })) })
const moment = fc.integer({ min: 0, max: 5_000_000_000 })

test('no date ever gives access that the provider’s status does not, nor takes any but an overdue one’s', () => {
  fc.assert(
    fc.property(facts, grace, moment, (seen, rule, at) => {
      const dateless = accessOf(seen, { days: null }, at)
      const access = accessOf(seen, rule, at)
      if (isUsable(access)) expect(access).toBe(dateless)
      if (access !== dateless)
        expect([seen.status, dateless, access]).toEqual(['past_due', 'grace', 'inactive'])
      const end = graceEndOf(seen, rule)
      if (end !== null) expect(accessOf(seen, rule, end)).toBe('inactive')
    }),
  )
})
