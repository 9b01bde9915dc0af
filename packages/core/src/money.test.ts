import { expect, test } from 'vitest'
import fc from '../../../test/support/fast-check.ts'
import {
  add,
  addExact,
  allocate,
  exactOf,
  extend,
  formatExact,
  formatMoney,
  formatRate,
  type Money,
  money,
  negate,
  parseMoney,
  parseRate,
  type Rate,
  round,
  subtract,
  sum,
  zero,
} from './money.ts'
import { units } from './quantity.ts'

test('10.00 over three equal weights is 3.34, 3.33, 3.33', () => {
  expect(allocate(money(1000n, 'usd'), [1n, 1n, 1n]).map(formatMoney)).toEqual(['3.34', '3.33', '3.33'])
  expect(allocate(money(-1000n, 'usd'), [1n, 1n, 1n]).map(formatMoney)).toEqual(['-3.34', '-3.33', '-3.33'])
})

test('a weight of nothing gets nothing, not even a leftover penny', () => {
  expect(allocate(money(5n, 'jpy'), [0n, 1n, 0n, 1n]).map(({ minor }) => minor)).toEqual([0n, 3n, 0n, 2n])
  expect(() => allocate(money(5n, 'jpy'), [0n, 0n])).toThrow()
  expect(() => allocate(money(5n, 'jpy'), [2n, -1n])).toThrow()
})

test('shares sum to the total and are off by less than a penny', () => {
  const weights = fc.array(fc.bigInt({ min: 0n, max: 10n ** 12n }), { minLength: 1, maxLength: 12 })
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 14n), max: 10n ** 14n }), weights, (minor, list) => {
      const whole = list.reduce((a, b) => a + b, 0n)
      fc.pre(whole > 0n)
      const shares = allocate<readonly bigint[]>(money(minor, 'kwd'), list)
      expect(sum('kwd', shares)).toEqual(money(minor, 'kwd'))
      for (const [i, share] of shares.entries()) {
        const error = share.minor * whole - minor * (list[i] ?? 0n)
        expect(error < whole && error > -whole).toBe(true)
      }
    }),
  )
})

// Stripe's own example of a decimal unit amount: "0.05" cents × 12,345 = 617.25 → 617.
test('a rate finer than a cent becomes money once, at the end', () => {
  const rate = parseRate('0.0005', 'usd') as Rate
  expect(round(extend(rate, units(12_345n)))).toEqual(money(617n, 'usd'))
})

test.each([
  ['0.4', 0n],
  ['0.5', 1n],
  ['1.5', 2n],
  ['2.5', 3n],
  ['-0.4', 0n],
  ['-0.5', -1n],
  ['-2.5', -3n],
  ['0.499999999999', 0n],
])('%s yen rounds half away from zero to %s', (text, minor) => {
  expect(round(extend(parseRate(text, 'jpy') as Rate, units(1n)))).toEqual(money(minor, 'jpy'))
})

test('money that is exact stays as it is', () => {
  fc.assert(
    fc.property(fc.bigInt(), fc.bigInt(), (a, b) => {
      const [x, y] = [money(a, 'usd'), money(b, 'usd')]
      expect(round(exactOf(x))).toEqual(x)
      expect(round(addExact(exactOf(x), exactOf(y)))).toEqual(add(x, y))
      expect(subtract(add(x, y), y)).toEqual(x)
      expect(add(x, negate(x))).toEqual(zero('usd'))
    }),
  )
})

test('currencies do not mix', () => {
  expect(() => add(money(1n, 'usd'), money(1n, 'eur'))).toThrow()
  expect(() => addExact(exactOf(money(1n, 'usd')), exactOf(money(1n, 'eur')))).toThrow()
  expect(() => sum('usd', [money(1n, 'eur')])).toThrow()
})

test('money is read and written with the decimals of its currency', () => {
  expect(parseMoney('9.00', 'usd')).toEqual(money(900n, 'usd'))
  expect(parseMoney('9', 'usd')).toEqual(money(900n, 'usd'))
  expect(parseMoney('9.001', 'usd')).toBeUndefined()
  expect(parseMoney('500', 'jpy')).toEqual(money(500n, 'jpy'))
  expect(parseMoney('500.0', 'jpy')).toBeUndefined()
  expect(parseMoney('5.124', 'kwd')).toEqual(money(5124n, 'kwd'))
  expect(['usd', 'jpy', 'kwd', 'clf'].map((currency) => formatMoney(money(12_000n, currency)))).toEqual([
    '120.00',
    '12000',
    '12.000',
    '1.2000',
  ])
})

test('a rate holds twelve digits below the minor unit', () => {
  expect(parseRate('0.0004', 'usd')).toEqual({ picos: 40_000_000_000n, currency: 'usd' })
  expect(parseRate('0.00000000000001', 'usd')?.picos).toBe(1n)
  expect(parseRate('0.000000000000001', 'usd')).toBeUndefined()
  expect(parseRate('0.000000000001', 'jpy')?.picos).toBe(1n)
  expect(formatRate({ picos: 40_000_000_000n, currency: 'usd' })).toBe('0.0004')
  expect(formatExact(extend({ picos: 1n, currency: 'usd' }, 1n))).toBe('0.00000000000000000000001')
})

// Checked by tsc: a rate is not money, though both are a number and a currency.
test('money and rate do not mix', () => {
  const rate: Rate = { picos: 1n, currency: 'usd' }
  // @ts-expect-error a rate has no minor units
  const wrong: Money = rate
  // @ts-expect-error money has no picos
  expect(() => extend(money(1n, 'usd'), 1n)).toThrow()
  expect(wrong).toBe(rate)
})
