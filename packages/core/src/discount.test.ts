import { expect, test } from 'vitest'
import { agreeDiscount, describeDiscount, discountsAt } from './discount.ts'
import { parseInstant } from './instant.ts'

const at = (text: string) => parseInstant(text) ?? Number.NaN

const tenPercent = agreeDiscount(
  {
    name: 'Autumn',
    coupon: 'autumn',
    off: { kind: 'percent', percent: '10' },
    duration: { kind: 'repeating', months: 3 },
  },
  at('2025-11-30T12:00:00Z'),
)
const twoDollars = agreeDiscount(
  {
    name: 'Friend',
    coupon: null,
    off: { kind: 'amount', minor: '200', currency: 'usd' },
    duration: { kind: 'repeating', months: 12 },
  },
  at('2025-11-30T12:00:00Z'),
)
const always = agreeDiscount(
  {
    name: 'School',
    coupon: 'school',
    off: { kind: 'percent', percent: '12.5' },
    duration: { kind: 'forever' },
  },
  at('2026-01-01T00:00:00Z'),
)

test('two that overlap apply together, and each ends on its own date', () => {
  const names = (text: string) =>
    discountsAt([tenPercent, twoDollars, always], at(text)).map(({ name }) => name)
  expect(names('2025-11-30T11:59:59Z')).toEqual([])
  expect(names('2025-11-30T12:00:00Z')).toEqual(['Autumn', 'Friend'])
  expect(names('2026-01-01T00:00:00Z')).toEqual(['Autumn', 'Friend', 'School'])
  // Three calendar months from 30 November: February has no 30th.
  expect(names('2026-02-28T11:59:59Z')).toEqual(['Autumn', 'Friend', 'School'])
  expect(names('2026-02-28T12:00:00Z')).toEqual(['Friend', 'School'])
  expect(names('2026-11-30T12:00:00Z')).toEqual(['School'])
})

test('each is told in words, in its currency', () => {
  const yen = { kind: 'amount', minor: '500', currency: 'jpy' } as const
  expect([tenPercent, twoDollars, always, { ...always, off: yen }].map(describeDiscount)).toEqual([
    '10 % for 3 months from 2025-11-30T12:00:00Z until 2026-02-28T12:00:00Z',
    '2.00 usd for 12 months from 2025-11-30T12:00:00Z until 2026-11-30T12:00:00Z',
    '12.5 % for ever from 2026-01-01T00:00:00Z',
    '500 jpy for ever from 2026-01-01T00:00:00Z',
  ])
})
