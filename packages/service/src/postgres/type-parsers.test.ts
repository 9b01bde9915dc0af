import { expect, test } from 'vitest'
import { instantOf } from './type-parsers.ts'

// https://www.postgresql.org/docs/current/datatype-datetime.html#DATATYPE-DATETIME-OUTPUT
test.each([
  ['2026-01-31 09:30:00+00', '2026-01-31T09:30:00Z'],
  ['2024-02-29 23:59:59.999999+00', '2024-02-29T23:59:59Z'],
  ['1969-12-31 23:59:59.25+00', '1969-12-31T23:59:59Z'],
  ['9999-12-31 23:59:59+00', '9999-12-31T23:59:59Z'],
  ['0099-03-01 00:00:00+00', '0099-03-01T00:00:00Z'],
  ['2026-01-31 09:30:00-03:30', '2026-01-31T13:00:00Z'],
  ['2026-01-31 09:30:00.5+14', '2026-01-30T19:30:00Z'],
])('%s is %s', (text, iso) => {
  expect(instantOf(text)).toBe(Date.parse(iso) / 1000)
})

test('there is a time before and one after all others, and what is no time is told', () => {
  expect(instantOf('infinity')).toBe(Number.POSITIVE_INFINITY)
  expect(instantOf('-infinity')).toBe(Number.NEGATIVE_INFINITY)
  expect(() => instantOf('yesterday')).toThrow('not understood')
})
