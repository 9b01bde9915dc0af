import { expect, test } from 'vitest'
import fc from '../../../test/support/fast-check.ts'
import { type BillingCycle, intervals, periodAt, periodContaining } from './billing-cycle.ts'
import { formatInstant, parseInstant } from './instant.ts'
import { contains, seconds } from './period.ts'

const at = (text: string) => parseInstant(text) ?? Number.NaN
const starts = (cycle: BillingCycle, indexes: readonly number[]) =>
  indexes.map((index) => formatInstant(periodAt(cycle, index).start))

test('the 31st becomes the last day of shorter months, and the 31st again', () => {
  const cycle: BillingCycle = { anchor: at('2026-01-31T09:30:00Z'), interval: 'month', intervalCount: 1 }
  expect(starts(cycle, [-2, -1, 0, 1, 2, 3, 25, 26])).toEqual([
    '2025-11-30T09:30:00Z',
    '2025-12-31T09:30:00Z',
    '2026-01-31T09:30:00Z',
    '2026-02-28T09:30:00Z',
    '2026-03-31T09:30:00Z',
    '2026-04-30T09:30:00Z',
    '2028-02-29T09:30:00Z',
    '2028-03-31T09:30:00Z',
  ])
})

test('a year from 29 February is 28 February, except in leap years; 2100 is none', () => {
  const cycle: BillingCycle = { anchor: at('2024-02-29T23:59:59Z'), interval: 'year', intervalCount: 1 }
  expect(starts(cycle, [1, 2, 3, 4, 76, 80])).toEqual([
    '2025-02-28T23:59:59Z',
    '2026-02-28T23:59:59Z',
    '2027-02-28T23:59:59Z',
    '2028-02-29T23:59:59Z',
    '2100-02-28T23:59:59Z',
    '2104-02-29T23:59:59Z',
  ])
})

test('quarters, weeks and days count from the anchor too', () => {
  const anchor = at('2026-11-30T12:00:00Z')
  expect(starts({ anchor, interval: 'month', intervalCount: 3 }, [0, 1, 2, 3, 4])).toEqual([
    '2026-11-30T12:00:00Z',
    '2027-02-28T12:00:00Z',
    '2027-05-30T12:00:00Z',
    '2027-08-30T12:00:00Z',
    '2027-11-30T12:00:00Z',
  ])
  expect(starts({ anchor, interval: 'week', intervalCount: 2 }, [-1, 1])).toEqual([
    '2026-11-16T12:00:00Z',
    '2026-12-14T12:00:00Z',
  ])
  expect(starts({ anchor, interval: 'day', intervalCount: 10 }, [-1, 4])).toEqual([
    '2026-11-20T12:00:00Z',
    '2027-01-09T12:00:00Z',
  ])
})

test('the end of a period belongs to the next', () => {
  const cycle: BillingCycle = { anchor: at('2026-01-31T00:00:00Z'), interval: 'month', intervalCount: 1 }
  const boundary = at('2026-02-28T00:00:00Z')
  expect(periodContaining(cycle, boundary - 1)).toEqual(periodAt(cycle, 0))
  expect(periodContaining(cycle, boundary)).toEqual(periodAt(cycle, 1))
  expect(periodContaining(cycle, cycle.anchor - 1)).toEqual(periodAt(cycle, -1))
  expect(contains(periodAt(cycle, 0), boundary)).toBe(false)
  expect(seconds(periodAt(cycle, 0))).toBe(28 * 86_400)
})

test('a cycle that does not repeat is a mistake', () => {
  expect(() => periodAt({ anchor: 0, interval: 'month', intervalCount: 0 }, 1)).toThrow('a cycle repeats')
})

/** Written another way: the month after the anchor's by number, its last day where the day is missing. */
function expectedMonthly(anchor: number, months: number): string {
  const [date = '', time = ''] = formatInstant(anchor).split('T')
  const [year = 0, month = 0, day = 0] = date.split('-').map(Number)
  const count = year * 12 + (month - 1) + months
  const [y, m] = [Math.floor(count / 12), (count % 12) + 1]
  const leap = (y % 4 === 0 && y % 100 !== 0) || y % 400 === 0
  const last = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][m - 1] ?? 0
  return `${y}-${`${m}`.padStart(2, '0')}-${`${Math.min(day, last)}`.padStart(2, '0')}T${time}`
}

test('a hundred years from anchors on 28 to 31: period n is anchor + n months, clamped', () => {
  for (const year of [2024, 2025, 2026, 2028, 2032, 2099]) {
    for (const day of ['01-28', '01-29', '01-30', '01-31', '02-28', '08-31', '12-31']) {
      const anchor = at(`${year}-${day}T17:45:01Z`)
      for (const intervalCount of [1, 3, 12]) {
        const cycle: BillingCycle = { anchor, interval: 'month', intervalCount }
        for (let index = 0; index * intervalCount <= 1200; index += 1) {
          const start = formatInstant(periodAt(cycle, index).start)
          if (start !== expectedMonthly(anchor, index * intervalCount))
            expect(start).toBe(expectedMonthly(anchor, index * intervalCount))
        }
      }
    }
  }
})

const cycles: fc.Arbitrary<BillingCycle> = fc.record({
  anchor: fc.integer({ min: -4_000_000_000, max: 8_000_000_000 }),
  interval: fc.constantFrom(...intervals),
  intervalCount: fc.integer({ min: 1, max: 36 }),
})

test('periods tile time, before the anchor as after it', () => {
  fc.assert(
    fc.property(cycles, fc.integer({ min: -500, max: 500 }), (cycle, index) => {
      const period = periodAt(cycle, index)
      expect(seconds(period)).toBeGreaterThan(0)
      expect(periodAt(cycle, index + 1).start).toBe(period.end)
      expect(periodAt(cycle, 0).start).toBe(cycle.anchor)
    }),
  )
})

test('every moment has its one period', () => {
  fc.assert(
    fc.property(
      cycles,
      fc.integer({ min: -500, max: 500 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (cycle, index, part) => {
        const period = periodAt(cycle, index)
        const moment = period.start + Math.floor(part * seconds(period))
        expect(periodContaining(cycle, moment)).toEqual(period)
        expect(periodContaining(cycle, period.start)).toEqual(period)
        expect(periodContaining(cycle, period.end - 1)).toEqual(period)
      },
    ),
  )
})

test('the time of day is the anchor’s', () => {
  fc.assert(
    fc.property(cycles, fc.integer({ min: -500, max: 500 }), (cycle, index) => {
      expect(Math.abs(periodAt(cycle, index).start - cycle.anchor) % 86_400).toBe(0)
    }),
  )
})
