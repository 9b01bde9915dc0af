import { expect, test } from 'vitest'
import { sweepWindow } from './event-sweep.ts'

const now = 1_800_000_000
const day = 86_400

test.each([
  ['an hour ago', 3600, false],
  ['three days ago', 3 * day, false],
  ['just within thirty days', 30 * day - 3 * 3600, false],
  ['a second longer', 30 * day - 3 * 3600 + 1, true],
  ['long ago', 400 * day, true],
])('the last sweep was %s', (_name, ago, isBeyond) => {
  expect(sweepWindow({ sweptTo: now - ago, now })).toEqual({ from: now - ago - 7200, isBeyond })
})

test('a sweep of the future, by a clock that was set back, leaves no gap', () => {
  expect(sweepWindow({ sweptTo: now + day, now }).from).toBe(now - 7200)
})
