import { expect, test } from 'vitest'
import fc from '../../../test/support/fast-check.ts'
import { formatQuantity, parseQuantity, quantityOf, units } from './quantity.ts'

test('a tenth ten times over is one', () => {
  const tenth = parseQuantity('0.1') ?? 0n
  expect(Array.from({ length: 10 }, () => tenth).reduce((sum, next) => sum + next)).toBe(units(1n))
})

test('fifteen digits before the point and nine after it, no more', () => {
  expect(parseQuantity('999999999999999.999999999')).toBe(10n ** 24n - 1n)
  expect(parseQuantity('1000000000000000')).toBeUndefined()
  expect(parseQuantity('0.000000001')).toBe(1n)
  expect(parseQuantity('0.0000000001')).toBeUndefined()
})

test('a sum of many may be longer than one of them', () => {
  expect(quantityOf('12345678901234567890123456789.000000001')).toBe(12345678901234567890123456789000000001n)
  expect(() => quantityOf('a lot')).toThrow('not a quantity')
})

test('sums of decimal texts are exact, against a model in whole nanos', () => {
  const nanos = fc.bigInt({ min: 0n, max: 10n ** 24n - 1n })
  fc.assert(
    fc.property(fc.array(nanos, { maxLength: 30 }), (list) => {
      const text = (n: bigint) => `${n / 10n ** 9n}.${(n % 10n ** 9n).toString().padStart(9, '0')}`
      const total = list.map((n) => parseQuantity(text(n)) ?? -1n).reduce((sum, n) => sum + n, 0n)
      expect(total).toBe(list.reduce((sum, n) => sum + n, 0n))
      expect(quantityOf(formatQuantity(total))).toBe(total)
    }),
  )
})
