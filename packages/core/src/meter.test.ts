import { expect, test } from 'vitest'
import { aggregations, isPlainMeter, measure, noUsage, passesFilter, textOfValue } from './meter.ts'
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

test('different values and a level are measured by themselves', () => {
  expect(measure({ aggregation: 'unique' }, { ...totals, unique: 2n })).toBe(units(2n))
  expect(measure({ aggregation: 'timeWeightedSum' }, { ...totals, weighted: 7n })).toBe(7n)
  // A level that was raised in a period before is held in one without events.
  expect(measure({ aggregation: 'timeWeightedSum' }, { ...noUsage, weighted: 7n })).toBe(7n)
  // Below nothing there is nothing: usage is never a credit.
  expect(measure({ aggregation: 'timeWeightedSum' }, { ...totals, weighted: -7n })).toBe(0n)
})

test('a filter lets through what has one of its values under each of its names, as text', () => {
  const filter = { status: ['200', '201'], cached: ['false'] }
  expect(passesFilter({ filter }, { status: '200', cached: 'false' })).toBe(true)
  expect(passesFilter({ filter }, { status: 201, cached: false, more: 'x' })).toBe(true)
  expect(passesFilter({ filter }, { status: 404, cached: false })).toBe(false)
  expect(passesFilter({ filter }, { status: 200 })).toBe(false)
  expect(passesFilter({ filter: { status: ['null'] } }, { status: null })).toBe(false)
  expect(passesFilter({}, {})).toBe(true)
  expect(isPlainMeter({ aggregation: 'sum' })).toBe(true)
  expect(isPlainMeter({ aggregation: 'sum', filter })).toBe(false)
})

test.each([
  [7, '7'],
  [-0, '0'],
  [true, 'true'],
  ['', ''],
  [1e21, '1e+21'],
  [Number.POSITIVE_INFINITY, undefined],
  [null, undefined],
])('the value %s is %s as text', (value, text) => {
  expect(textOfValue(value)).toBe(text)
})

test('no events are nothing, however they are put together', () => {
  for (const aggregation of aggregations) expect(measure({ aggregation }, noUsage)).toBe(0n)
})
