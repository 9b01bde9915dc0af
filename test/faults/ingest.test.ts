import { expect, test } from 'vitest'
import { ingest } from './ingest.ts'

// The same, larger and with another seed: npm run faults -- ingest --runs 10000000 --seed 8
test('services and Postgres are killed five times under load, and old events dropped: each that was answered counts once', async () => {
  const run = { events: 300_000, kills: 5, seed: 20_260_131, expires: true }
  const { breaches, sent, repeated, expired } = await ingest(run)
  expect(breaches).toEqual([])
  expect(expired).toBeGreaterThan(0)
  expect(repeated / sent).toBeCloseTo(0.3, 2)
}, 900_000)
