import { formatInstant, parseInstant } from '@lockstep/core/instant'
import { expect, test } from 'vitest'
import { periodsFrom } from './periods.ts'

const at = (text: string) => {
  const instant = parseInstant(text)
  if (instant === undefined) throw new Error(`not a time: ${text}`)
  return instant
}
const day = (text: string) => at(`${text}T09:30:00Z`)
const monthly = (anchor: string) => ({ anchor: day(anchor), interval: 'month', intervalCount: 1 }) as const
const shown = (periods: ReturnType<typeof periodsFrom>) =>
  periods.map(({ start, end }) => `${formatInstant(start).slice(0, 10)} ${formatInstant(end).slice(0, 10)}`)

test('the next period follows the one before it', () => {
  const current = { start: day('2026-02-28'), end: day('2026-03-31') }
  const rhythm = { cycle: monthly('2026-01-31'), trialEnd: null }
  expect(shown(periodsFrom(day('2026-02-28'), current, rhythm))).toEqual(['2026-02-28 2026-03-31'])
})

test('after an outage of months each period is there, counted from the anchor', () => {
  const current = { start: day('2026-05-31'), end: day('2026-06-30') }
  const rhythm = { cycle: monthly('2026-01-31'), trialEnd: null }
  expect(shown(periodsFrom(day('2026-02-28'), current, rhythm))).toEqual([
    '2026-02-28 2026-03-31',
    '2026-03-31 2026-04-30',
    '2026-04-30 2026-05-31',
    '2026-05-31 2026-06-30',
  ])
})

test('a trial is one period, whatever the rhythm', () => {
  const current = { start: day('2026-04-03'), end: day('2026-05-03') }
  const rhythm = { cycle: monthly('2026-03-03'), trialEnd: day('2026-03-03') }
  expect(shown(periodsFrom(day('2026-01-31'), current, rhythm))).toEqual([
    '2026-01-31 2026-03-03',
    '2026-03-03 2026-04-03',
    '2026-04-03 2026-05-03',
  ])
})

test('where the cycle was reset, the period before it ends early', () => {
  const current = { start: day('2026-03-10'), end: day('2026-04-10') }
  const rhythm = { cycle: monthly('2026-03-10'), trialEnd: null }
  expect(shown(periodsFrom(day('2026-02-28'), current, rhythm))).toEqual([
    '2026-02-28 2026-03-10',
    '2026-03-10 2026-04-10',
  ])
})

test.each([
  // 1,462 days: 1,063 of them are one. A trial of 31 is a period, and 1,033 of the others.
  [null, 1063, '2020-01-01 2022-11-29'],
  ['2020-02-01', 1033, '2020-02-01 2022-11-30'],
])(
  'by the day over four years (trial until %s): the oldest are one, and all of the time is there',
  (trial, merged, oldest) => {
    const current = { start: day('2024-01-01'), end: day('2024-01-02') }
    const daily = { anchor: day('2020-01-01'), interval: 'day', intervalCount: 1 } as const
    const trialEnd = trial === null ? null : day(trial)
    const periods = periodsFrom(day('2020-01-01'), current, { cycle: daily, trialEnd })
    expect(periods).toHaveLength(400)
    const index = trial === null ? 0 : 1
    expect(shown(periods)[index]).toBe(oldest)
    const [{ start, end } = current] = periods.slice(index)
    expect((end - start) / 86_400).toBe(merged)
    expect(shown(periods.slice(-2))).toEqual(['2023-12-31 2024-01-01', '2024-01-01 2024-01-02'])
    for (const [i, period] of periods.entries())
      expect(period.start).toBe(i === 0 ? day('2020-01-01') : periods[i - 1]?.end)
  },
)
