import { expect, test } from 'vitest'
import { type Adjustment, adjustmentAmount, adjustmentLine } from './adjustment.ts'
import { explain } from './derivation.ts'
import { isWorthSending, remainder } from './invoice.ts'
import { money } from './money.ts'
import { units } from './quantity.ts'

const goodwill: Adjustment = {
  id: 'adjustment_1',
  kind: 'credit',
  description: 'Goodwill for the outage',
  amount: money(-500n, 'usd'),
  madeAt: 1_768_521_600,
  withdrawnAt: null,
}
const january = { start: 1_767_225_600, end: 1_769_904_000 }
const lineOf = (adjustment: Adjustment) => adjustmentLine(adjustment, january, 'cloud')

test.each([
  ['credit', -900n],
  ['charge', 900n],
  ['note', 0n],
] as const)('a %s of 9.00 adds %s cents', (kind, minor) => {
  expect(adjustmentAmount(kind, money(900n, 'usd'))).toEqual(money(minor, 'usd'))
})

test('an adjustment is a line of one, and says who did not compute it: nobody', () => {
  const line = lineOf(goodwill)
  expect(line).toMatchObject({ key: 'adjustment_1', quantity: units(1n), amount: money(-500n, 'usd') })
  expect(explain(line.derivation)).toEqual([
    'adjustment, 2026-01-01T00:00:00Z … 2026-02-01T00:00:00Z',
    'credit made 2026-01-16T00:00:00Z: -5.00',
  ])
})

test('a note is sent once, although it costs nothing', () => {
  const note = lineOf({ ...goodwill, kind: 'note', amount: money(0n, 'usd') })
  expect(isWorthSending(remainder(note, []))).toBe(true)
  const billed = { quantity: units(1n), amount: money(0n, 'usd'), discounted: money(0n, 'usd') }
  expect(isWorthSending(remainder(note, [billed]))).toBe(false)
})

test('withdrawn, it is nothing; billed all the same, it is given back', () => {
  const line = lineOf({ ...goodwill, withdrawnAt: 1_768_608_000 })
  expect(isWorthSending(remainder(line, []))).toBe(false)
  const billed = { quantity: units(1n), amount: money(-500n, 'usd'), discounted: money(0n, 'usd') }
  expect(remainder(line, [billed]).amount).toEqual(money(500n, 'usd'))
  expect(explain(line.derivation)[1]).toBe('credit made 2026-01-16T00:00:00Z, and taken back since')
})
