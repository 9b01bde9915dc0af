import { describe, expect, test } from 'vitest'
import { testCardNumbers } from '../../../test/support/card-numbers.ts'
import { hasCardNumber, hideCardNumbers } from './card-number.ts'

describe.each(testCardNumbers)('%s', (number) => {
  test('is seen alone, grouped, and among other text', () => {
    const grouped = number.replace(/(\d{4})(?=\d)/g, '$1 ')
    expect(hasCardNumber(number)).toBe(true)
    expect(hasCardNumber(grouped)).toBe(true)
    expect(hasCardNumber(grouped.replaceAll(' ', '-'))).toBe(true)
    for (const divided of ['.', '_', '  ', ' - ', '\u00a0', '\u2013'])
      expect(hasCardNumber(grouped.replaceAll(' ', divided))).toBe(divided.length < 3)
    expect(hasCardNumber(`my card is ${number}, thanks`)).toBe(true)
  })

  test('is hidden, also beside other numbers', () => {
    const grouped = number.replace(/(\d{4})(?=\d)/g, '$1 ')
    expect(hideCardNumbers(`1763695000000 ${number} 12/29`)).toBe('1763695000000 [card] 12/29')
    expect(hideCardNumbers(`a ${grouped}, b ${number}.`)).toBe('a [card], b [card].')
  })

  test('is hidden wherever other numbers stand around it', () => {
    const grouped = number.replace(/(\d{4})(?=\d)/g, '$1 ')
    for (const written of [number, grouped]) {
      expect(hideCardNumbers(`${written} 12/26 123`)).toBe('[card] 12/26 123')
      expect(hideCardNumbers(`${written} 123`)).toBe('[card] 123')
      expect(hideCardNumbers(`card 12 ${written}`)).toBe('card 12 [card]')
      expect(hideCardNumbers(`card_${written}_12_26`)).toBe('card_[card]_12_26')
      expect(hideCardNumbers(`+49 30 901820, ${written}`)).toBe('+49 30 901820, [card]')
    }
  })

  test('with another last digit it is no card', () => {
    const other = number.slice(0, -1) + ((Number(number.at(-1)) + 1) % 10)
    expect(hasCardNumber(other)).toBe(false)
  })
})

test.each([
  ['4242 4242 4242 4242123', '[card]123'],
  ['124242-4242-4242-42421226', '12[card]1226'],
  ['+4242424242424242', '+[card]'],
  ['pay+378282246310005', 'pay+[card]'],
])('%s has a card number', (text, hidden) => {
  expect(hideCardNumbers(text)).toBe(hidden)
})

// Their digits were chosen to pass the check digit of a network that has such lengths, but for the first three.
test.each([
  ['an epoch in milliseconds', '1763694885000'],
  ['a short number', 'order 123456789012'],
  ['an id of ours', 'customer_01j8kq2v7m5x9c3r6t0w4y8z1b'],
  ['a long number with a card number in it', '4242424242424242000011112222'],
  ['an epoch in microseconds', '1763694885000000'],
  ['an epoch in nanoseconds', '1763694885000000000'],
  ['a telephone number', '+49 30 901820'],
  ['a telephone number of a Visa\u2019s length', '+4915123456784'],
  ['the same in groups', '+49 151 2345 6784'],
  ['a ULID of digits', '01J4242424242424242ABCDEFG'],
  ['an id of ours of digits', 'customer_01j4242424242424242abcdefg'],
  ['a UUID of digits', '42424242-4242-4242-8242-424242424242'],
  ['an id of 18 digits with a card number in front', '424242424242424212'],
  ['a time', '2026-11-21T03:53:05.338Z'],
  // Passes the check digit, but no network issues numbers that begin with 7 or 9.
  ['a number of no network', '7992739871300004'],
])('lets %s pass', (_, text) => {
  expect(hasCardNumber(text)).toBe(false)
  expect(hideCardNumbers(text)).toBe(text)
})
