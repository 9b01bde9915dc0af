import { expect, test } from 'vitest'
import { crashSyncs } from './syncs.ts'

// The same matrix, larger and with another seed: npm run faults -- sync --runs 2000 --seed 7
test('in 100 syncs that die and meet a failing Stripe, each line is one item and every coin is billed once', {
  timeout: 900_000,
}, async () => {
  const { breaches, deaths } = await crashSyncs({ runs: 100, seed: 4_711 })
  expect(breaches).toEqual([])
  expect(deaths).toBeGreaterThan(100)
})
