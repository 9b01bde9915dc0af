import { expect, test } from 'vitest'
import { type PeriodOpening, termsOf } from './commitment.ts'
import { formatInstant, parseInstant } from './instant.ts'

const at = (text: string) => parseInstant(text.length === 10 ? `${text}T00:00:00Z` : text) ?? -1
const period = (start: string, end: string) => ({ start: at(start), end: at(end) })

const opening = (anchor: string, more: Partial<PeriodOpening> = {}): PeriodOpening => ({
  cycle: { anchor: at(anchor), interval: 'month', intervalCount: 1 },
  ...{ trial: null, currentStart: at(anchor), wasPaused: false, takenUp: null },
  ...more,
})

test('a period of the cycle is whole, and promised from its start', () => {
  const { inTrial, wholeEnd, promisedFrom } = termsOf(
    period('2026-02-28', '2026-03-31'),
    opening('2026-01-31'),
  )
  expect(inTrial).toBe(false)
  expect([promisedFrom, wholeEnd].map(formatInstant)).toEqual([
    '2026-02-28T00:00:00Z',
    '2026-03-31T00:00:00Z',
  ])
})

test('what starts in a trial is in it, what starts at its end is not', () => {
  const trial = period('2026-01-10', '2026-01-24')
  const of = opening('2026-01-24', { trial })
  expect(termsOf(trial, of).inTrial).toBe(true)
  expect(termsOf(period('2026-01-24', '2026-02-24'), of).inTrial).toBe(false)
})

test('what lies between two trials is in neither, where the later one carries the start of the first', () => {
  const trial = period('2026-01-10', '2026-03-15')
  const of = opening('2026-03-15', { trial, currentStart: at('2026-03-01') })
  expect(termsOf(period('2026-02-24', '2026-03-01'), of).inTrial).toBe(false)
  expect(termsOf(period('2026-03-01', '2026-03-15'), of).inTrial).toBe(true)
})

test('nothing is promised for the time of a pause, and all of the period that begins after it', () => {
  const of = opening('2026-02-03', { wasPaused: true })
  const gap = period('2026-01-24', '2026-02-03')
  expect(termsOf(gap, of).promisedFrom).toBe(gap.end)
  const next = period('2026-02-03', '2026-03-03')
  expect(termsOf(next, of).promisedFrom).toBe(next.start)
})

test.each([
  ['taken up in the middle of a period', '2025-11-10', '2026-01-20', '2026-01-20'],
  ['made at the provider an hour ago', '2026-01-10', '2026-01-10T01:00:00Z', '2026-01-10'],
])('%s', (_name, startedAt, takenAt, from) => {
  const takenUp = { startedAt: at(startedAt), at: at(takenAt) }
  const of = opening('2025-11-10', { takenUp, currentStart: at('2026-01-10') })
  expect(termsOf(period('2026-01-10', '2026-02-10'), of).promisedFrom).toBe(at(from))
})
