import { expect, test } from 'vitest'
import { playLifecycle } from './lifecycle/play.ts'

/** As many as fit into a minute of a quiet machine; fifty thousand: `npm run faults -- lifecycle --runs 50000`. */
const COMMANDS = 5000
/** For a machine that does much else: nothing is waited for here. */
const timeout = 1_200_000

test('random lives: ours, the provider and a model say the same after every round that is heard of', {
  timeout,
}, async () => {
  const { commands, breaches } = await playLifecycle({ runs: COMMANDS, seed: 1 })
  expect(breaches).toEqual([])
  expect(commands).toBeGreaterThanOrEqual(COMMANDS)
})

test('and so they do when processes die in the middle of requests', { timeout }, async () => {
  const { commands, breaches } = await playLifecycle({ runs: 200, seed: 1, withDeaths: true })
  expect(breaches).toEqual([])
  expect(commands).toBeGreaterThanOrEqual(200)
})
