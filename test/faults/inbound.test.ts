import { expect, test } from 'vitest'
import { playInbound } from './inbound/play.ts'

/** A few accounts; more: `npm run faults -- inbound --runs 4000`. */
const MOVES = 120

test('whatever is done at Stripe, and in whatever order it is told, here is what stands there', {
  // For a machine that does much else: nothing is waited for here.
  timeout: 600_000,
}, async () => {
  const { sorts, breaches } = await playInbound({ runs: MOVES, seed: 1 })
  expect(breaches).toEqual([])
  // Stripe refuses some of what comes to mind.
  const done = Object.values(sorts).reduce((sum, count) => sum + count, 0)
  expect(done).toBeGreaterThan(MOVES / 2)
})
