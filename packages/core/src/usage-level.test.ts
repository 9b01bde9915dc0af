import { expect, test } from 'vitest'
import fc from '../../../test/support/fast-check.ts'
import { units } from './quantity.ts'
import { type LevelChange, weigh } from './usage-level.ts'

/** One change of `quantity` so many seconds after its bucket's start, which is an hour. */
const change = (start: number, seconds: number, quantity: bigint): LevelChange => ({
  start,
  change: units(quantity),
  moment: units(quantity * BigInt(seconds)),
})

const HOUR = 3600

test('2 for an hour, then 1 for half an hour: 7200 and 1800', () => {
  const changes = [change(0, 0, 2n), change(HOUR, 0, -1n)]
  expect(weigh(changes, { start: 0, end: 1.5 * HOUR })).toBe(units(9000n))
})

test('a change counts from its own second, and what was there before for all of the period', () => {
  const changes = [change(0, 3599, 5n), change(2 * HOUR, 1, 3n)]
  expect(weigh(changes, { start: 0, end: HOUR })).toBe(units(5n))
  expect(weigh(changes, { start: HOUR, end: 2 * HOUR })).toBe(units(5n * 3600n))
  expect(weigh(changes, { start: 2 * HOUR, end: 3 * HOUR })).toBe(units(5n * 3600n + 3n * 3599n))
  expect(weigh([], { start: 0, end: HOUR })).toBe(0n)
})

test('any changes in any order are what counting each second comes to, and periods add up', () => {
  const one = fc.tuple(fc.integer({ min: 0, max: 3 * HOUR - 1 }), fc.bigInt({ min: -9n, max: 9n }))
  fc.assert(
    fc.property(fc.array(one, { maxLength: 8 }), (events) => {
      const changes = events.map(([at, quantity]) => change(at - (at % HOUR), at % HOUR, quantity))
      const levelAt = (second: number) =>
        events.reduce((sum, [at, quantity]) => (at <= second ? sum + quantity : sum), 0n)
      let [whole, middle] = [0n, 0n]
      for (let second = 0; second < 3 * HOUR; second += 1) {
        whole += levelAt(second)
        if (second >= HOUR && second < 2 * HOUR) middle += levelAt(second)
      }
      expect(weigh(changes, { start: HOUR, end: 2 * HOUR })).toBe(units(middle))
      expect(weigh(changes.toReversed(), { start: 0, end: 3 * HOUR })).toBe(units(whole))
    }),
    { numRuns: 30 },
  )
})
