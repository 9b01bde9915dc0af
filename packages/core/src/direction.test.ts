import { expect, test } from 'vitest'
import { type Directions, defaultDirections, defaultSyncPolicy, syncPolicyFaults } from './direction.ts'

const faults = (directions: Partial<Directions>, missing: 'create' | 'park' = 'park') =>
  syncPolicyFaults({
    directions: { ...defaultDirections, ...directions },
    missingCustomer: missing,
    missingPlan: missing,
  })

test('what is so by default may be so', () => {
  expect(syncPolicyFaults(defaultSyncPolicy)).toEqual([])
})

test.each<[string, Partial<Directions>, 'create' | 'park']>([
  [
    'metering beside Stripe: everything is sold there',
    { customer: 'inbound', plan: 'inbound', price: 'inbound', subscription: 'inbound' },
    'create',
  ],
  [
    'Stripe says who buys what, prices stay there',
    { plan: 'inbound', price: 'off', subscription: 'off' },
    'park',
  ],
  ['sold on both sides', { customer: 'both', plan: 'both', price: 'both', subscription: 'both' }, 'create'],
  ['a subscription of the dashboard for a customer of ours', { subscription: 'both' }, 'park'],
  ['nothing is billed here', { subscription: 'off', invoice: 'off' }, 'park'],
])('allowed: %s', (_name, directions, missing) => {
  expect(faults(directions, missing)).toEqual([])
})

test.each<[Partial<Directions>, 'create' | 'park', RegExp]>([
  [{ customer: 'inbound' }, 'park', /^subscription is outbound, but customer is inbound/],
  [{ customer: 'off' }, 'park', /but customer is off/],
  [{ price: 'off' }, 'park', /^subscription is outbound, but price is off/],
  [{ plan: 'inbound', price: 'inbound' }, 'park', /^subscription is outbound, but price is inbound/],
  [{ plan: 'off' }, 'park', /^price is outbound, but plan is off/],
  [{ price: 'both' }, 'park', /^price is both, but plan is outbound/],
  [{ invoice: 'outbound' }, 'park', /^invoice is outbound/],
  [{ invoice: 'off' }, 'park', /^invoice is off, but subscription is outbound/],
])('refused: %o', (directions, missing, why) => {
  expect(faults(directions, missing)).toEqual([expect.stringMatching(why)])
})

test('every contradiction at once', () => {
  expect(faults({ customer: 'off', price: 'inbound', invoice: 'off' }, 'create')).toHaveLength(6)
})
