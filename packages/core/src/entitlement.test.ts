import { expect, test } from 'vitest'
import { accessByStatus } from './access.ts'
import { entitlementOf, type GrantedBy } from './entitlement.ts'
import type { Feature, FeatureKind, Grant } from './feature.ts'
import { formatQuantity, units } from './quantity.ts'
import type { FeatureCap } from './spend-limit.ts'
import type { SubscriptionStatus } from './subscription.ts'

const feature = (kind: FeatureKind): Feature => ({ key: 'x', name: 'X', kind, meter: null, unitLabel: null })
const flip: Grant = { feature: 'x', kind: 'switch' }
const limit = (upTo: bigint | null): Grant => ({
  ...{ feature: 'x', kind: 'limit' as const },
  upTo: upTo === null ? null : units(upTo),
})
const metered = (upTo: bigint | null, beyond: 'billed' | 'refused' = 'refused'): Grant => ({
  ...{ feature: 'x', kind: 'metered' as const, beyond },
  upTo: upTo === null ? null : units(upTo),
})

const by = (
  grant: Grant,
  used = 0n,
  status: SubscriptionStatus = 'active',
  subscription = 's1',
): GrantedBy => ({
  ...{ grant, status, access: accessByStatus[status], subscription, plan: 'team', planVersion: 1 },
  addons: [],
  used: units(used),
  period: { start: 0, end: 1 },
})

/** The answer in one line: allowed or not, reason, how far, what is left. */
function answer(kind: FeatureKind, ...given: GrantedBy[]): string {
  const { allowed, reason, upTo, left } = entitlementOf(feature(kind), given, { hasSubscription: true })
  const text = (quantity: bigint | null) => (quantity === null ? '-' : formatQuantity(quantity))
  return `${allowed ? 'yes' : 'no'} ${reason} ${text(upTo)} ${text(left)}`
}

test.each<[string, FeatureKind, GrantedBy[], string]>([
  ['a switch', 'switch', [by(flip)], 'yes granted - -'],
  ['a switch that nobody grants', 'switch', [], 'no not_granted - -'],
  ['a limit', 'limit', [by(limit(5n))], 'yes granted 5 -'],
  ['a limit of nothing', 'limit', [by(limit(0n))], 'yes granted 0 -'],
  ['no end', 'limit', [by(limit(null))], 'yes granted - -'],
  ['some used', 'metered', [by(metered(100n), 30n)], 'yes granted 100 70'],
  ['all but one used', 'metered', [by(metered(100n), 99n)], 'yes granted 100 1'],
  ['all used', 'metered', [by(metered(100n), 100n)], 'no used_up 100 0'],
  ['more than all used', 'metered', [by(metered(100n), 101n)], 'no used_up 100 0'],
  ['all used, and the rest is billed', 'metered', [by(metered(100n, 'billed'), 100n)], 'yes billed 100 0'],
  ['nothing included, all billed', 'metered', [by(metered(0n, 'billed'))], 'yes billed 0 0'],
  ['used without end', 'metered', [by(metered(null), 999n)], 'yes granted - -'],
  ['a credit', 'metered', [by(metered(100n), -20n)], 'yes granted 100 120'],
  ['in the trial', 'switch', [by(flip, 0n, 'trialing')], 'yes granted - -'],
  ['a payment is being tried again', 'switch', [by(flip, 0n, 'past_due')], 'yes granted - -'],
  ['unpaid', 'switch', [by(flip, 0n, 'unpaid')], 'no inactive - -'],
  ['paused', 'switch', [by(flip, 0n, 'paused')], 'no inactive - -'],
  ['the first payment is still to come', 'switch', [by(flip, 0n, 'incomplete')], 'no inactive - -'],
  [
    'two limits: the wider one',
    'limit',
    [by(limit(5n)), by(limit(9n), 0n, 'active', 's2')],
    'yes granted 9 -',
  ],
  [
    'the wider one is unpaid: the one that is paid',
    'limit',
    [by(limit(9n), 0n, 'unpaid'), by(limit(5n), 0n, 'active', 's2')],
    'yes granted 5 -',
  ],
  [
    'one is used up: the one with something left',
    'metered',
    [by(metered(10n), 10n), by(metered(5n), 1n, 'active', 's2')],
    'yes granted 5 4',
  ],
])('%s', (_, kind, given, expected) => {
  expect(answer(kind, ...given)).toBe(expected)
  expect(answer(kind, ...given.toReversed())).toBe(expected)
})

test('who has no subscription is told so', () => {
  expect(entitlementOf(feature('switch'), [], { hasSubscription: false })).toMatchObject({
    ...{ allowed: false, reason: 'no_subscription', by: null },
  })
})

const cap = (upTo: bigint | null, isReached: boolean): FeatureCap => ({
  ...{ limit: 'spend_limit_1', isReached },
  upTo: upTo === null ? null : units(upTo),
})

test.each<[string, FeatureKind, GrantedBy, FeatureCap[], string]>([
  ['a cap that is far away', 'metered', by(metered(100n), 30n), [cap(500n, false)], 'yes granted 100 70'],
  ['a cap below what is included', 'metered', by(metered(100n), 30n), [cap(50n, false)], 'yes granted 50 20'],
  ['a cap on what has no end', 'metered', by(metered(null), 30n), [cap(50n, false)], 'yes granted 50 20'],
  [
    'a cap that is reached',
    'metered',
    by(metered(100n, 'billed'), 500n),
    [cap(500n, true)],
    'no used_up 100 0',
  ],
  ['an amount that is reached', 'metered', by(metered(null), 5n), [cap(null, true)], 'no used_up - 0'],
  [
    'the second of two is reached',
    'metered',
    by(metered(9n)),
    [cap(7n, false), cap(null, true)],
    'no used_up 7 0',
  ],
  ['nothing that is measured', 'limit', by(limit(5n)), [cap(null, true)], 'yes granted 5 -'],
  ['unpaid beside it', 'metered', by(metered(9n), 0n, 'unpaid'), [cap(null, true)], 'no inactive 9 9'],
])('a cap: %s', (_, kind, given, caps, expected) => {
  const capsOn = () => caps
  const { allowed, reason, upTo, left, cappedBy } = entitlementOf(feature(kind), [given], {
    ...{ hasSubscription: true, capsOn },
  })
  const text = (quantity: bigint | null) => (quantity === null ? '-' : formatQuantity(quantity))
  expect(`${allowed ? 'yes' : 'no'} ${reason} ${text(upTo)} ${text(left)}`).toBe(expected)
  expect(cappedBy).toBe(reason === 'used_up' ? 'spend_limit_1' : null)
})
