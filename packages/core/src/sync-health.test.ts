import { expect, test } from 'vitest'
import { needsAttention } from './sync-health.ts'

test.each([
  ['provider_unavailable', false],
  ['provider_unknown_outcome', false],
  ['rate_limited', false],
  ['provider_refused', true],
  ['plan_not_published', true],
  ['internal_error', true],
  ['a_code_of_another_version', true],
])('%s waits for a person: %s', (code, waits) => {
  expect(needsAttention(code)).toBe(waits)
})
