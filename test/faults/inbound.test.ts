import { expect, test } from 'vitest'
import { playInbound } from './inbound/play.ts'

/** A few accounts; more: `npm run faults -- inbound --runs 4000`. */
const MOVES = 120

test('whatever is done at Stripe, and in whatever order it is told, here is what stands there', {
  // For a machine that does much else: nothing is waited for here.
  timeout: 600_000,
}, async () => {
  const { moves, breaches } = await playInbound({ runs: MOVES, seed: Number(process.env.SEED ?? 1) })
  expect(breaches).toEqual([])
  expect(moves).toBe(MOVES)
})
