import { expect, test } from 'vitest'
import fc from '../../../test/support/fast-check.ts'
import { type Interval, periodAt } from './billing-cycle.ts'
import { defineCatalog } from './catalog.ts'
import { Problem } from './problem.ts'
import { usageCycleOf, usagePeriodAt } from './usage-cycle.ts'

const at = (time: string) => Date.parse(time) / 1000
const plan = (
  interval: Interval,
  intervalCount: number,
  usageInterval: Interval | null,
  count: number | null,
) => ({
  ...{ interval, intervalCount, usageInterval, usageIntervalCount: count },
})
const dates = ({ start, end }: { start: number; end: number }) =>
  [start, end].map((second) => new Date(second * 1000).toISOString().slice(0, 10)).join(' … ')

test('months of a year that begins on the 29th of February are those of Stripe’s calendar', () => {
  const anchor = at('2028-02-29T10:00:00Z')
  const cycle = usageCycleOf(plan('year', 1, 'month', 1), anchor)
  const year = periodAt({ anchor, interval: 'year', intervalCount: 1 }, 0)
  const of = (time: string) => dates(usagePeriodAt(year, at(time), { cycle, trialEnd: null }))
  expect(of('2028-02-29T10:00:00Z')).toBe('2028-02-29 … 2028-03-29')
  expect(of('2028-12-29T10:00:00Z')).toBe('2028-12-29 … 2029-01-29')
  expect(of('2029-01-29T10:00:00Z')).toBe('2029-01-29 … 2029-02-28')
  // Before and after the year that is paid for: its first and its last.
  expect(of('2027-01-01T00:00:00Z')).toBe('2028-02-29 … 2028-03-29')
  expect(of('2029-06-01T00:00:00Z')).toBe('2029-01-29 … 2029-02-28')
})

test('a trial is one stretch, and a year that was cut short ends its last month with it', () => {
  const anchor = at('2026-01-31T00:00:00Z')
  const cycle = usageCycleOf(plan('year', 1, 'month', 1), anchor)
  const trial = { start: at('2025-11-01T00:00:00Z'), end: anchor }
  expect(usagePeriodAt(trial, at('2026-01-15T00:00:00Z'), { cycle, trialEnd: anchor })).toEqual(trial)
  const short = { start: anchor, end: at('2026-04-10T00:00:00Z') }
  expect(dates(usagePeriodAt(short, at('2026-04-01T00:00:00Z'), { cycle, trialEnd: anchor }))).toBe(
    '2026-03-31 … 2026-04-10',
  )
})

test('the stretches of every period of the fees tile it, whatever its anchor', () => {
  const shapes = [
    ['year', 1, 'month', 1],
    ['year', 1, 'month', 3],
    ['year', 3, 'year', 1],
    ['month', 6, 'month', 2],
    ['week', 2, 'day', 7],
    ['week', 4, 'week', 2],
  ] as const
  fc.assert(
    fc.property(
      fc.integer({ min: at('2024-01-01T00:00:00Z'), max: at('2032-12-31T00:00:00Z') }),
      fc.constantFrom(...shapes),
      fc.nat(9),
      (anchor, [interval, intervalCount, usageInterval, count], index) => {
        const cycle = usageCycleOf(plan(interval, intervalCount, usageInterval, count), anchor)
        const paid = periodAt({ anchor, interval, intervalCount }, index)
        let start = paid.start
        let number = 0
        while (start < paid.end) {
          const stretch = usagePeriodAt(paid, start, { cycle, trialEnd: null })
          expect(stretch.start).toBe(start)
          // Whole ones: none is cut by the end of the fees' period.
          expect(stretch).toEqual(periodAt(cycle, indexOf(interval, intervalCount, cycle) * index + number))
          start = stretch.end
          number += 1
        }
        expect(start).toBe(paid.end)
        expect(number).toBe(indexOf(interval, intervalCount, cycle))
      },
    ),
  )
})

const lengths = { day: 1, week: 7, month: 1, year: 12 }
/** How many stretches a period of the fees has; both in months or both in days. */
const indexOf = (interval: Interval, count: number, cycle: { interval: Interval; intervalCount: number }) =>
  (lengths[interval] * count) / (lengths[cycle.interval] * cycle.intervalCount)

const prices = {
  fee: { kind: 'recurring', model: 'flat', amount: '120.00' },
  tokens: { meter: 'tokens', model: 'perUnit', unitAmount: '0.01' },
}
const faultsOf = (more: object) => {
  try {
    defineCatalog({
      currency: 'usd',
      products: { app: { name: 'App' } },
      meters: { tokens: { name: 'Tokens', unitLabel: 'token', aggregation: 'sum' } },
      plans: { team: { name: 'Team', product: 'app', interval: 'year', prices, ...more } },
    } as never)
    return []
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return error.faults.map(({ pointer, code }) => `${pointer.replace('#/plans/team/', '')} ${code}`)
  }
}

const invalid = ['usageInterval usage_interval_invalid']
test.each<[what: string, plan: object, faults: string[]]>([
  ['months of a year', { usageInterval: 'month' }, []],
  ['quarters of two years', { intervalCount: 2, usageInterval: 'month', usageIntervalCount: 3 }, []],
  ['days of a week', { interval: 'week', usageInterval: 'day' }, []],
  ['years of a year', { usageInterval: 'year' }, invalid],
  ['five months of a year', { usageInterval: 'month', usageIntervalCount: 5 }, invalid],
  ['years of a month', { interval: 'month', usageInterval: 'year' }, invalid],
  ['weeks of a year', { usageInterval: 'week' }, invalid],
  ['days of a month', { interval: 'month', usageInterval: 'day' }, invalid],
  ['18 months of three years', { intervalCount: 3, usageInterval: 'month', usageIntervalCount: 18 }, invalid],
  ['no month', { usageInterval: 'month', usageIntervalCount: 0 }, ['usageIntervalCount invalid']],
  ['a number of nothing', { usageIntervalCount: 3 }, ['usageIntervalCount invalid']],
  ['another word', { usageInterval: 'moon' }, ['usageInterval invalid', ...invalid]],
  ['no usage', { usageInterval: 'month', prices: { fee: prices.fee } }, invalid],
  [
    'a percentage',
    { usageInterval: 'month', prices: { ...prices, support: { model: 'percentage', percent: '10' } } },
    invalid,
  ],
  [
    'a fee in arrears',
    { usageInterval: 'month', prices: { ...prices, late: { ...prices.fee, timing: 'inArrears' } } },
    invalid,
  ],
  [
    'a least amount to collect',
    {
      usageInterval: 'month',
      prices: { ...prices, fee: { ...prices.fee, amount: '0', collectFrom: '5.00' } },
    },
    invalid,
  ],
  ['a fixed number of payments', { usageInterval: 'month', purchase: 'course', payments: 3 }, invalid],
])('usage by %s', (_, more, faults) => {
  expect(faultsOf(more)).toEqual(faults)
})
