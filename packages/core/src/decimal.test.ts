import { expect, test } from 'vitest'
import fc from '../../../test/support/fast-check.ts'
import { formatDecimal, formatFixed, parseDecimal } from './decimal.ts'

test.each([
  ['0', 2, 0n],
  ['9', 2, 900n],
  ['9.5', 2, 950n],
  ['9.50', 2, 950n],
  ['-0.5', 1, -5n],
  ['-0', 0, 0n],
  ['0.000000000001', 12, 1n],
  ['123456789012345.123456789', 9, 123456789012345123456789n],
])('%s in %d digits is %s', (text, digits, scaled) => {
  expect(parseDecimal(text, digits)).toBe(scaled)
})

test.each([
  '',
  ' 1',
  '1 ',
  '+1',
  '1e3',
  '1E3',
  '.5',
  '5.',
  '-',
  '--1',
  '01',
  '1,000',
  '1_000',
  '٣',
  '３',
  '0x10',
  'NaN',
  'Infinity',
  '1\n',
  '1\0',
  '0.123',
  '1'.repeat(65),
])('%j is refused', (text) => {
  expect(parseDecimal(text, 2)).toBeUndefined()
})

test('text keeps no zeros at the end, and no sign on nothing', () => {
  expect(formatDecimal(1_500n, 3)).toBe('1.5')
  expect(formatDecimal(-50n, 3)).toBe('-0.05')
  expect(formatDecimal(12n, 0)).toBe('12')
  expect(formatDecimal(0n, 9)).toBe('0')
  expect(formatFixed(1_200n, 2)).toBe('12.00')
  expect(formatFixed(-5n, 2)).toBe('-0.05')
  expect(formatFixed(12n, 0)).toBe('12')
})

test('what is written is read back', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }), fc.nat(23), (scaled, digits) => {
      expect(parseDecimal(formatDecimal(scaled, digits), digits)).toBe(scaled)
      expect(parseDecimal(formatFixed(scaled, digits), digits)).toBe(scaled)
    }),
  )
})
