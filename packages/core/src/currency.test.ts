import { expect, test } from 'vitest'
import { currencyCodes, currencyName, exponentOf, isCurrency } from './currency.ts'

const withExponent = (exponent: number) => currencyCodes().filter((code) => exponentOf(code) === exponent)

test('the currencies without two decimals are ISO 4217’s', () => {
  expect(withExponent(0).join(' ')).toBe(
    'bif clp djf gnf isk jpy kmf krw pyg rwf ugx uyi vnd vuv xaf xof xpf',
  )
  expect(withExponent(3).join(' ')).toBe('bhd iqd jod kwd lyd omr tnd')
  expect(withExponent(4).join(' ')).toBe('clf uyw')
  // Not 1/5: ISO writes two decimals for the ariary and the ouguiya.
  expect([exponentOf('mga'), exponentOf('mru')]).toEqual([2, 2])
})

test('the newest codes are there and the replaced ones gone', () => {
  for (const code of ['xcg', 'zwg', 'sle', 'ved', 'ves', 'xad', 'stn', 'byn'])
    expect(isCurrency(code)).toBe(true)
  for (const code of ['bgn', 'hrk', 'ang', 'sll', 'zwl', 'cuc', 'std', 'byr'])
    expect(isCurrency(code)).toBe(false)
})

test('what has no minor unit, and what is no code, is no currency', () => {
  for (const code of ['xau', 'xxx', 'xts', 'xdr', 'USD', '', 'dollar', 'constructor', '__proto__']) {
    expect(isCurrency(code)).toBe(false)
  }
  expect(() => exponentOf('xxx')).toThrow('not a currency: xxx')
})

test('the table is in order, each code with a name', () => {
  expect(currencyCodes()).toEqual([...new Set(currencyCodes())].sort())
  for (const code of currencyCodes()) {
    expect(code).toMatch(/^[a-z]{3}$/)
    expect(currencyName(code)).toMatch(/\w/)
  }
  expect(currencyName('jpy')).toBe('Yen')
})
