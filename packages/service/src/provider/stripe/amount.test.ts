import { formatMoney, money } from '@lockstep/core/money'
import { expect, test } from 'vitest'
import {
  fromStripeAmount,
  fromStripeDiscount,
  fromStripeRate,
  isChargeable,
  isFeeRate,
  isStripeRate,
  largestCharge,
  toChargeable,
  toStripeAmount,
  toStripeRate,
} from './amount.ts'

test.each<[currency: string, ours: bigint, stripes: number]>([
  ['usd', 1200n, 1200],
  ['usd', -1n, -1],
  ['jpy', 500n, 500],
  // Five krónur have no smaller coin, but Stripe writes them with two decimals.
  ['isk', 5n, 500],
  ['ugx', 1000n, 100_000],
  ['kwd', 5120n, 5120],
  // Five ariary have a smaller coin, a fifth, and Stripe does not count it.
  ['mga', 500n, 5],
  ['mga', -500n, -5],
])('%s %d is %d at Stripe, and back', (currency, minor, stripes) => {
  expect(toStripeAmount(money(minor, currency))).toBe(stripes)
  expect(fromStripeAmount(stripes, currency)).toEqual(money(minor, currency))
})

test('a dinar is charged in steps of ten fils', () => {
  expect(isChargeable(money(5124n, 'kwd'))).toBe(false)
  expect(toChargeable(money(5124n, 'kwd')).minor).toBe(5120n)
  expect(toChargeable(money(5125n, 'kwd')).minor).toBe(5130n)
  expect(toChargeable(money(-5125n, 'kwd')).minor).toBe(-5130n)
  expect(toChargeable(money(1234n, 'usd')).minor).toBe(1234n)
  expect(() => toStripeAmount(money(5124n, 'kwd'))).toThrow()
})

test('an ariary is charged whole', () => {
  expect(isChargeable(money(520n, 'mga'))).toBe(false)
  expect(toChargeable(money(550n, 'mga')).minor).toBe(600n)
  expect(() => toStripeAmount(money(520n, 'mga'))).toThrow()
})

test.each([
  // what one unit costs, in picos of our smallest coin
  ['usd', 500_000_000_000n, true],
  ['jpy', 500_000_000_000n, true],
  ['kwd', 1_000_000_000_000n, false],
  ['kwd', 10_000_000_000_000n, true],
  ['isk', 500_000_000_000n, false],
  ['isk', 1_000_000_000_000n, true],
  ['mga', 50_000_000_000_000n, false],
  ['mga', 100_000_000_000_000n, true],
])('a fee of %s %d/1e12 a unit is charged as it stands: %s', (currency, picos, is) => {
  expect(isFeeRate({ picos, currency })).toBe(is)
})

test('a fraction of a króna that Stripe computed is rounded half away from zero', () => {
  expect(fromStripeAmount(549, 'isk').minor).toBe(5n)
  expect(fromStripeAmount(550, 'isk').minor).toBe(6n)
  expect(fromStripeAmount(-550, 'isk').minor).toBe(-6n)
})

test('a rate is decimal text of the minor unit', () => {
  expect(toStripeRate({ picos: 40_000_000_000n, currency: 'usd' })).toBe('0.04')
  expect(toStripeRate({ picos: 1n, currency: 'usd' })).toBe('0.000000000001')
  expect(toStripeRate({ picos: 500_000_000_000n, currency: 'isk' })).toBe('50')
  // 0.5 ariary is 50 hundredths here; the finest rate there is one of 1e-10 hundredths.
  const half = { picos: 50_000_000_000_000n, currency: 'mga' }
  expect(toStripeRate(half)).toBe('0.5')
  expect(fromStripeRate('0.5', 'mga')).toEqual(half)
  expect([100n, 99n].map((picos) => isStripeRate({ picos, currency: 'mga' }))).toEqual([true, false])
  expect(fromStripeRate('0.005', 'isk')).toEqual({ picos: 50_000_000n, currency: 'isk' })
  expect(fromStripeRate('0.000000000001', 'isk')).toBeNull()
})

test.each([
  ['usd', '999999.99'],
  ['jpy', '99999999'],
  // Written there with two decimals that are 00.
  ['isk', '999999'],
  ['kwd', '99999.999'],
  // Whole ariary there, a hundredth each here.
  ['mga', '99999999.00'],
  ['idr', '9999999999.99'],
])('the most that is charged at once of %s is %s', (currency, most) => {
  expect(formatMoney(largestCharge(currency))).toBe(most)
})

test.each([
  // Half a króna off is a whole one off: what is left is never more than was paid.
  ['isk', 1250n, 13n],
  ['isk', 1201n, 13n],
  ['isk', 1200n, 12n],
  ['mga', 3n, 300n],
  ['usd', 1250n, 1250n],
  ['kwd', 333n, 333n],
])('%s %d off', (currency, units, minor) => {
  expect(fromStripeDiscount(units, currency)).toEqual(money(minor, currency))
})
