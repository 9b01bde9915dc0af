import { expect, test } from 'vitest'
import { crash } from './crash.ts'

// The same matrix, larger and with another seed: npm run faults -- registration --runs 1000 --seed 7
test('killed at twenty random instants during registrations, nothing is lost and nothing is made twice', async () => {
  const { breaches, registered } = await crash({ runs: 20, seed: 20_260_131, work: 'registration' })
  expect(breaches).toEqual([])
  expect(registered).toBeGreaterThan(10)
}, 900_000)

test('killed at ten random instants during syncs and renewals, every cent is billed once', async () => {
  const { breaches, usageEvents } = await crash({ runs: 10, seed: 20_260_228, work: 'sync' })
  expect(breaches).toEqual([])
  expect(usageEvents).toBeGreaterThan(50)
}, 900_000)
