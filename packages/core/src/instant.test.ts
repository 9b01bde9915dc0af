import { expect, test } from 'vitest'
import fc from '../../../test/support/fast-check.ts'
import { formatInstant, parseInstant } from './instant.ts'

test.each([
  ['1970-01-01T00:00:00Z', 0],
  ['2026-01-31T09:30:00Z', 1769851800],
  ['2026-01-31t09:30:00z', 1769851800],
  ['2026-01-31T10:30:00+01:00', 1769851800],
  ['2026-01-30T23:30:00-10:00', 1769851800],
  ['2026-01-31T09:30:00.999999999Z', 1769851800],
  ['1969-12-31T23:59:59.9Z', -1],
  ['2000-02-29T00:00:00Z', 951782400],
  // The leap second before 2017 has no second of its own in Unix time.
  ['2016-12-31T23:59:60Z', 1483228800],
  ['2017-01-01T00:59:60+01:00', 1483228800],
])('%s is %d', (text, at) => {
  expect(parseInstant(text)).toBe(at)
})

test.each([
  '',
  '2026-01-31',
  '2026-01-31T09:30:00',
  '2026-01-31 09:30:00Z',
  '2026-01-31T09:30Z',
  '2026-1-31T09:30:00Z',
  '2026-02-29T00:00:00Z',
  '2100-02-29T00:00:00Z',
  '2026-04-31T00:00:00Z',
  '2026-13-01T00:00:00Z',
  '2026-00-01T00:00:00Z',
  '2026-01-00T00:00:00Z',
  '2026-01-31T24:00:00Z',
  '2026-01-31T09:60:00Z',
  '2026-01-31T09:30:61Z',
  '2026-01-31T09:30:60Z',
  '2026-01-31T09:30:00+24:00',
  '2026-01-31T09:30:00+0100',
  '2026-01-31T09:30:00.Z',
  ' 2026-01-31T09:30:00Z',
  '2026-01-31T09:30:00Z\n',
  '٢٠٢٦-01-31T09:30:00Z',
  '1769851800',
])('%j is no moment', (text) => {
  expect(parseInstant(text)).toBeUndefined()
})

test('what is written is read back, in every year that has four digits', () => {
  fc.assert(
    fc.property(fc.integer({ min: -62167219200, max: 253402300799 }), (at) => {
      expect(parseInstant(formatInstant(at))).toBe(at)
    }),
  )
})

test('a moment is a whole second', () => {
  expect(formatInstant(1769851800)).toBe('2026-01-31T09:30:00Z')
  expect(() => formatInstant(0.5)).toThrow('not a whole second')
})
