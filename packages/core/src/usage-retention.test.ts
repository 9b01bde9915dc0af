import { expect, test } from 'vitest'
import { formatInstant } from './instant.ts'
import { keptSince } from './usage-retention.ts'

test.each([
  ['2026-03-31T23:59:59Z', 13, '2025-02-01T00:00:00Z'],
  ['2026-04-01T00:00:00Z', 13, '2025-03-01T00:00:00Z'],
  // Of the shortest stretch: the month before is kept whole.
  ['2026-01-31T12:00:00Z', 1, '2025-12-01T00:00:00Z'],
  ['2024-02-29T12:00:00Z', 12, '2023-02-01T00:00:00Z'],
])('at %s and of %i months, events are kept since %s', (now, months, since) => {
  expect(formatInstant(keptSince(Date.parse(now) / 1000, months))).toBe(since)
})
