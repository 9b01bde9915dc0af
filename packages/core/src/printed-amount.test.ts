import { expect, test } from 'vitest'
import fc from '../../../test/support/fast-check.ts'
import { formatDecimal } from './decimal.ts'
import { money } from './money.ts'
import { printedDecimal, printedMoney } from './printed-amount.ts'

test.each([
  ['999', '999'],
  ['1000', '1,000'],
  ['2747282740', '2,747,282,740'],
  ['-1234.56789', '-1,234.56789'],
  ['0.000000000001', '0.000000000001'],
  ['1000.00', '1,000.00'],
  // Beyond what a float holds.
  ['9007199254740993.25', '9,007,199,254,740,993.25'],
  [
    '123456789012345678901234567890.123456789012345678901',
    '123,456,789,012,345,678,901,234,567,890.123456789012345678901',
  ],
])('%s is printed as %s', (decimal, printed) => {
  expect(printedDecimal(decimal)).toBe(printed)
})

test('nothing but commas is added, whatever the number', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }), fc.nat(24), (scaled, digits) => {
      const decimal = formatDecimal(scaled, digits)
      expect(printedDecimal(decimal).replaceAll(',', '')).toBe(decimal)
    }),
  )
})

test.each([
  [123_450n, 'usd', '1,234.50 USD'],
  [-123_456_789n, 'eur', '-1,234,567.89 EUR'],
  [1_235n, 'jpy', '1,235 JPY'],
  [1_234_500n, 'kwd', '1,234.500 KWD'],
  [0n, 'kwd', '0.000 KWD'],
])('%s of %s is printed as %s', (minor, currency, printed) => {
  expect(printedMoney(money(minor, currency))).toBe(printed)
})
