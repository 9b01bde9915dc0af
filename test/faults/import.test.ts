import { expect, test } from 'vitest'
import { crashImport } from './import.ts'

// The same, larger and with another seed: npm run faults -- import --runs 10000 --seed 7
test('an import that is killed again and again is complete, equal, and made nothing twice', async () => {
  const { breaches, subscriptions, deaths } = await crashImport({ customers: 500, kills: 10, seed: 1 })
  expect(breaches).toEqual([])
  expect(subscriptions).toBe(600)
  expect(deaths).toBeGreaterThan(3)
})
