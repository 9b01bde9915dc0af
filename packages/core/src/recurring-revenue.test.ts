import { expect, test } from 'vitest'
import fc from '../../../test/support/fast-check.ts'
import { intervals } from './billing-cycle.ts'
import { defineCatalog } from './catalog.ts'
import { earns, monthlyMoney, monthlyShare, recurringRevenue, weightsOf } from './recurring-revenue.ts'
import { subscriptionStatuses } from './subscription.ts'

const { plans } = defineCatalog({
  currency: 'usd',
  products: { app: { name: 'App' } },
  meters: { calls: { name: 'Calls', unitLabel: 'call', aggregation: 'sum' } },
  plans: {
    team: {
      name: 'Team',
      product: 'app',
      interval: 'month',
      prices: {
        base: { kind: 'recurring', model: 'flat', amount: '20.00' },
        seats: { kind: 'recurring', model: 'perUnit', unitAmount: '5.00' },
        calls: { meter: 'calls', product: 'app', model: 'perUnit', unitAmount: '0.01' },
      },
    },
  },
})

test('a plan earns its fee and its seats; usage is no recurring revenue', () => {
  const [team] = plans
  if (!team) throw new Error('no plan')
  // 20.00 + 3 × 5.00
  expect(recurringRevenue(team, 3)).toEqual({ minor: 3500n, currency: 'usd' })
  expect(recurringRevenue({ ...team, payments: 6 }, 3)).toEqual({ minor: 0n, currency: 'usd' })
})

test('of none a flat fee alone earns nothing, beside no seats it earns itself', () => {
  const [team] = plans
  if (!team) throw new Error('no plan')
  expect(recurringRevenue(team, 0)).toEqual({ minor: 2000n, currency: 'usd' })
  const flat = { ...team, prices: team.prices.filter(({ key }) => key !== 'seats') }
  expect(recurringRevenue(flat, 0)).toEqual({ minor: 0n, currency: 'usd' })
  expect(recurringRevenue(flat, 1)).toEqual({ minor: 2000n, currency: 'usd' })
})

// 120.00 a year is 10.00 a month; 7.00 a week is 365/84 × 7.00 = 30.4166…; 1.00 a day is 365/12 = 30.4166…
test.each([
  ['year', 1, 12000n, 1000n],
  ['month', 3, 2400n, 800n],
  ['month', 1, 999n, 999n],
  ['week', 1, 700n, 3042n],
  ['week', 2, 700n, 1521n],
  ['day', 1, 100n, 3042n],
] as const)('%s × %i: %i a period is %i a month', (interval, intervalCount, fee, monthly) => {
  const { scale, weights } = weightsOf([{ interval, intervalCount }])
  expect(monthlyMoney(fee * (weights[0]?.weight ?? 0n), scale, 'usd').minor).toBe(monthly)
})

test('thirds add up: nothing is rounded before the sum', () => {
  // Three of 10.00 a quarter are 10.00 a month, not three times 3.33.
  const { scale, weights } = weightsOf([{ interval: 'month', intervalCount: 3 }])
  expect(monthlyMoney(3n * 1000n * (weights[0]?.weight ?? 0n), scale, 'usd').minor).toBe(1000n)
})

test('a weight is its share exactly, whatever other rhythms there are', () => {
  const rhythm = fc.record({
    interval: fc.constantFrom(...intervals),
    intervalCount: fc.integer({ min: 1, max: 156 }),
  })
  fc.assert(
    fc.property(fc.array(rhythm, { minLength: 1, maxLength: 8 }), (rhythms) => {
      const { scale, weights } = weightsOf(rhythms)
      for (const { interval, intervalCount, weight } of weights) {
        const { numerator, denominator } = monthlyShare(interval, intervalCount)
        expect(weight * denominator).toBe(numerator * scale)
      }
    }),
  )
})

test('what is owed and collected earns; trials, unpaid and what is given away do not', () => {
  const earning = subscriptionStatuses.filter((status) => earns(status, 'charging'))
  expect(earning).toEqual(['active', 'past_due'])
  expect(earns('active', 'keepAsDraft')).toBe(true)
  expect(earns('active', 'void')).toBe(false)
  expect(earns('active', 'markUncollectible')).toBe(false)
})
