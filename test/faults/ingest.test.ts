import { expect, test } from 'vitest'
import { ingest } from './ingest.ts'

// The same, larger and with another seed: npm run faults -- ingest --runs 10000000 --seed 7
test('services and Postgres are killed five times under load: every event that was answered is there once', async () => {
  const { breaches, sent, repeated } = await ingest({ events: 12_000, kills: 5, seed: 20_260_131 })
  expect(breaches).toEqual([])
  expect(repeated / sent).toBeCloseTo(0.3, 2)
})
