import { expect, test } from 'vitest'
import { fuzzBodies } from './bodies.ts'
import { mutateSignatures } from './signatures.ts'

test('of 20,000 signatures that are true but for one thing none is accepted, and every true one is', () => {
  expect(mutateSignatures({ runs: 20_000, seed: 1 })).toEqual([])
})

test('2,000 signed bodies that hold anything: each is stored or refused, and nothing breaks', async () => {
  const { stored, breaches } = await fuzzBodies({ runs: 2000, seed: 1 })
  expect(breaches).toEqual([])
  // What was stored is worth something.
  expect(stored).toBeGreaterThan(100)
})
