import { expect, test } from 'vitest'
import { playLifecycle } from './lifecycle/play.ts'

test('random lives: ours, the provider and a model say the same after every command', async () => {
  const { commands, breaches } = await playLifecycle({ runs: 120, seed: 1 })
  expect(breaches).toEqual([])
  expect(commands).toBeGreaterThanOrEqual(120)
})
