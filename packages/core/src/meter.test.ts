import { expect, test } from 'vitest'
import { aggregations, measure, noUsage } from './meter.ts'
import { units } from './quantity.ts'

// Three events: 5, then 9, then 2 by their own time.
const totals = { count: 3n, sum: units(16n), max: units(9n), last: units(2n) }

test.each([
  ['count', 3n],
  ['sum', 16n],
  ['max', 9n],
  ['last', 2n],
] as const)('the %s of 5, 9, 2 is %s', (aggregation, expected) => {
  expect(measure({ aggregation }, totals)).toBe(units(expected))
})

test('no events are nothing, however they are put together', () => {
  for (const aggregation of aggregations) expect(measure({ aggregation }, noUsage)).toBe(0n)
})
