import { expect, test } from 'vitest'
import { defineCatalog } from './catalog.ts'
import type { Plan } from './plan.ts'
import {
  type ChangePolicy,
  defaultChangePolicy,
  mayChangePlan,
  mayGiveBack,
  planChange,
} from './plan-change.ts'
import { type SubscriptionStatus, subscriptionStatuses } from './subscription.ts'

const fee = (amount: string) => ({ fee: { kind: 'recurring' as const, model: 'flat' as const, amount } })
const monthly = { product: 'app' as const, interval: 'month' as const }
const { plans } = defineCatalog({
  currency: 'jpy',
  products: { app: { name: 'App' } },
  meters: { calls: { name: 'Calls', unitLabel: 'call', aggregation: 'sum' } },
  plans: {
    free: { ...monthly, name: 'Free', prices: fee('0') },
    basic: { ...monthly, name: 'Basic', prices: fee('1000') },
    twin: { ...monthly, name: 'Twin', prices: fee('1000') },
    premium: { ...monthly, name: 'Premium', prices: fee('3000') },
    quarter: { ...monthly, name: 'Quarter', intervalCount: 3, prices: fee('2500') },
    year: { ...monthly, name: 'Year', interval: 'year', prices: fee('9000') },
    twelve: { ...monthly, name: 'Twelve', intervalCount: 12, prices: fee('9500') },
    metered: {
      ...monthly,
      name: 'Metered',
      prices: { ...fee('1000'), calls: { meter: 'calls', model: 'perUnit', unitAmount: '1' } },
    },
  },
})
const planOf = (key: string): Plan => {
  const found = plans.find((plan) => plan.key === key)
  if (!found) throw new Error(key)
  return found
}

const termsOf = (key: string) => ({ plan: planOf(key), quantity: 1, addons: [] })

interface Case {
  readonly status?: SubscriptionStatus
  readonly endsTrial?: boolean
  readonly policy?: ChangePolicy
  readonly when?: 'now' | 'periodEnd'
}

/** from → to: direction, moment, whether a period begins. */
function decided(
  from: string,
  to: string,
  { status = 'active', endsTrial = false, policy = defaultChangePolicy, when }: Case = {},
) {
  const change = planChange(termsOf(from), termsOf(to), { policy, status, endsTrial, when })
  return [change.direction, change.takesEffect, change.startsPeriod ? 'new period' : 'same period'].join(', ')
}

test.for([
  ['basic', 'premium', 'upgrade, now, same period'],
  ['premium', 'basic', 'downgrade, periodEnd, same period'],
  ['basic', 'twin', 'level, now, same period'],
  // The first payment is for a whole period.
  ['free', 'basic', 'upgrade, now, new period'],
  ['basic', 'free', 'downgrade, periodEnd, same period'],
  // A longer rhythm is more, whatever a month of it costs.
  ['basic', 'quarter', 'upgrade, now, new period'],
  ['premium', 'year', 'upgrade, now, new period'],
  ['year', 'premium', 'downgrade, periodEnd, same period'],
  ['quarter', 'basic', 'downgrade, periodEnd, same period'],
  // Twelve months are a year.
  ['year', 'twelve', 'upgrade, now, same period'],
  // Nothing is paid for a free year.
  ['year', 'free', 'downgrade, periodEnd, same period'],
  ['free', 'year', 'upgrade, now, new period'],
  // A period is rated by one list of prices.
  ['basic', 'metered', 'level, now, new period'],
] as const)('%s → %s: %s', ([from, to, expected]) => {
  expect(decided(from, to)).toBe(expected)
})

test('in a trial everything changes at once, and the trial stays unless it is ended', () => {
  for (const [from, to] of [
    ['free', 'premium'],
    ['premium', 'basic'],
    ['basic', 'year'],
    ['basic', 'metered'],
  ] as const) {
    expect(decided(from, to, { status: 'trialing' })).toContain('now, same period')
    expect(decided(from, to, { status: 'trialing', endsTrial: true })).toContain('now, new period')
  }
})

test('the catalogue decides, and whoever may say otherwise', () => {
  const policy: ChangePolicy = { upgrade: 'periodEnd', downgrade: 'now' }
  expect(decided('basic', 'premium', { policy })).toBe('upgrade, periodEnd, same period')
  expect(decided('premium', 'basic', { policy })).toBe('downgrade, now, same period')
  expect(decided('year', 'basic', { policy })).toBe('downgrade, now, new period')
  expect(decided('basic', 'premium', { policy, when: 'now' })).toBe('upgrade, now, same period')
})

test('who pays late pays first', () => {
  expect(subscriptionStatuses.filter(mayChangePlan)).toEqual(['trialing', 'active'])
})

test('less than before may give back, whatever a discount is on, and where a fee is not known', () => {
  const given = (from: string, to: string, { isDiscounted = false, isFeeKnown = true } = {}) =>
    mayGiveBack(termsOf(from), termsOf(to), { isDiscounted, isFeeKnown })
  expect(given('premium', 'basic')).toBe(true)
  expect(given('year', 'basic')).toBe(true)
  expect(given('basic', 'free')).toBe(true)
  expect(given('basic', 'twin')).toBe(false)
  expect(given('basic', 'year')).toBe(false)
  // A longer rhythm that costs less at once: 3000 for a month, 2500 for three.
  expect(given('premium', 'quarter')).toBe(true)
  expect(given('basic', 'premium', { isDiscounted: true })).toBe(true)
  expect(given('basic', 'premium', { isFeeKnown: false })).toBe(true)
})
