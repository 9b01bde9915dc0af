import { expect, test } from 'vitest'
import fc from '../../../test/support/fast-check.ts'
import { foreseeUsage, isForeseeable } from './forecast.ts'
import { type Aggregation, aggregations, measure, type UsageTotals } from './meter.ts'
import { formatQuantity, units } from './quantity.ts'

const DAY = 86_400
/** A month of 31 days. */
const period = { start: 0, end: 31 * DAY }
const totals: UsageTotals = {
  ...{ count: 10n, sum: units(100n), max: units(7n), last: units(3n), unique: 4n },
  weighted: units(90n),
}

const foreseen = (aggregation: Aggregation, at: number, of = totals) =>
  formatQuantity(measure({ aggregation }, foreseeUsage({ aggregation }, of, { period, at })))

test.each<[Aggregation, number, string]>([
  // After ten of 31 days: 3.1 times as much.
  ['sum', 10 * DAY, '310'],
  ['count', 10 * DAY, '31'],
  // After three: 31/3 of it, and of 10 events 103 ⅓ are 103.
  ['sum', 3 * DAY, '1033.333333333'],
  ['count', 3 * DAY, '103'],
  // After four: 77.5 events are 78.
  ['count', 4 * DAY, '78'],
  ['max', 10 * DAY, '7'],
  ['last', 10 * DAY, '3'],
  ['unique', 10 * DAY, '4'],
  ['timeWeightedSum', 10 * DAY, '90'],
])('%s after %i seconds is foreseen as %s', (aggregation, at, expected) => {
  expect(foreseen(aggregation, at)).toBe(expected)
})

test('at the end of the period it is what it is, and nothing comes of nothing', () => {
  for (const aggregation of aggregations) {
    expect(foreseeUsage({ aggregation }, totals, { period, at: period.end })).toEqual(totals)
    const none = { ...totals, count: 0n, sum: 0n }
    expect(foreseeUsage({ aggregation }, none, { period, at: DAY })).toEqual(none)
  }
})

test('a second says as much as it is: the same usage is foreseen as less the later it is', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: 10n ** 30n }),
      fc.integer({ min: 1, max: period.end - 1 }),
      (sum, at) => {
        const by = (moment: number) =>
          foreseeUsage({ aggregation: 'sum' }, { ...totals, sum }, { period, at: moment }).sum
        expect(by(at)).toBeGreaterThanOrEqual(by(at + 1))
        expect(by(at)).toBeGreaterThanOrEqual(sum)
        // No more than half a unit of 1e-9 from the exact fraction.
        const exact = sum * BigInt(period.end)
        const off = by(at) * BigInt(at) - exact
        expect(2n * (off < 0n ? -off : off)).toBeLessThanOrEqual(BigInt(at))
      },
    ),
  )
})

test('nothing is said in the first hour, nor when the period is over', () => {
  const said = [0, 3599, 3600, period.end - 1, period.end].map((at) => isForeseeable(period, at))
  expect(said).toEqual([false, false, true, true, false])
})
