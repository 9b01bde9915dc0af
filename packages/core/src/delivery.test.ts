import { expect, test } from 'vitest'
import { hasFailedForGood, meaningOf, nextAttemptAt } from './delivery.ts'

/** https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md, "Retry schedule". */
const schedule = ['5 s', '5 min', '30 min', '2 h', '5 h', '10 h', '14 h', '20 h', '24 h']
const unit: Record<string, number> = { s: 1, min: 60, h: 3600 }
const seconds = (text: string) => {
  const [count = '', name = ''] = text.split(' ')
  return Number(count) * (unit[name] ?? Number.NaN)
}

test('ten attempts, on the schedule of Standard Webhooks', () => {
  const waits = schedule.map((_, i) => nextAttemptAt(i + 1, 1000, 0))
  expect(waits).toEqual(schedule.map((wait) => 1000 + seconds(wait)))
  expect(nextAttemptAt(schedule.length + 1, 1000, 0)).toBeNull()
})

test('never earlier than the schedule says, and at most a tenth of it later', () => {
  expect(nextAttemptAt(2, 0, 0.999)).toBe(329)
  expect(nextAttemptAt(9, 0, 0.5)).toBe(86_400 + 4320)
})

test('what an answer means', () => {
  expect([200, 201, 204, 299].map(meaningOf)).toEqual(Array(4).fill('taken'))
  expect([100, 199, 300, 301, 307, 400, 404, 429, 500, null].map(meaningOf)).toEqual(
    Array(10).fill('refused'),
  )
  expect(meaningOf(410)).toBe('gone')
})

test('an endpoint has failed for good after five days without anything taken', () => {
  expect(hasFailedForGood(0, 5 * 86_400 - 1)).toBe(false)
  expect(hasFailedForGood(0, 5 * 86_400)).toBe(true)
})
