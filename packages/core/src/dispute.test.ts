import { expect, test } from 'vitest'
import { type DisputeEvent, type DisputeStatus, disputeEvents } from './dispute.ts'

test.each<[DisputeStatus | null, DisputeStatus, DisputeEvent[]]>([
  [null, 'needs_response', ['dispute.created']],
  [null, 'lost', ['dispute.created', 'dispute.closed']],
  ['needs_response', 'needs_response', []],
  ['needs_response', 'under_review', ['dispute.updated']],
  ['under_review', 'won', ['dispute.closed']],
  // The bank asked first, and then took the money.
  ['warning_needs_response', 'needs_response', ['dispute.updated']],
  ['warning_under_review', 'warning_closed', ['dispute.closed']],
])('%s, then %s', (before, after, events) => {
  expect(disputeEvents(before, after)).toEqual(events)
})
