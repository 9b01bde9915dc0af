import { expect, test } from 'vitest'
import { playAdversary } from './lifecycle/adversary.ts'

/** A few customers; more: `npm run faults -- adversary --runs 10000`. */
const MOVES = 160
/** For a machine that does much else: nothing is waited for here. */
const timeout = 600_000

test('who switches, ends and begins anew for gain has paid for all that was served', {
  timeout,
}, async () => {
  const { moves, breaches } = await playAdversary({ runs: MOVES, seed: 1 })
  expect(breaches).toEqual([])
  expect(moves).toBeGreaterThanOrEqual(MOVES)
})
