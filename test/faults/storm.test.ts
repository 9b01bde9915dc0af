import { expect, test } from 'vitest'
import { storm } from './storm.ts'

test('5,000 events, each three times, shuffled, 16 at a time, the receiver killed: here is what is there, once', async () => {
  const verdict = await storm({ events: 5000, objects: 145, seed: 1, kills: 2, burst: 1 })
  expect(verdict.breaches).toEqual([])
  expect(verdict.events).toBeGreaterThanOrEqual(5000)
  expect(verdict.deliveries).toBe(3 * verdict.events)
}, 300_000)
