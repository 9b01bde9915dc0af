/** Stripe's words. `warning_…`: the bank only asks so far, and nothing was taken back yet. */
export const disputeStatuses = [
  'warning_needs_response',
  'warning_under_review',
  'warning_closed',
  'needs_response',
  'under_review',
  'won',
  'lost',
  'prevented',
] as const
export type DisputeStatus = (typeof disputeStatuses)[number]

const closed: ReadonlySet<DisputeStatus> = new Set(['warning_closed', 'won', 'lost', 'prevented'])

/** Nothing is decided about it any more. */
export function isClosed(status: DisputeStatus): boolean {
  return closed.has(status)
}

const takenBack: ReadonlySet<DisputeStatus> = new Set(['needs_response', 'under_review', 'lost'])

/** The money is with the bank: for good, or until it is decided. */
export function isTakenBack(status: DisputeStatus): boolean {
  return takenBack.has(status)
}

export type DisputeEvent = 'dispute.created' | 'dispute.updated' | 'dispute.closed'

/** Seen late, one may be opened and closed at once: both are said, in that order. */
export function disputeEvents(before: DisputeStatus | null, after: DisputeStatus): DisputeEvent[] {
  if (before === after) return []
  if (before === null) return isClosed(after) ? ['dispute.created', 'dispute.closed'] : ['dispute.created']
  return [isClosed(after) ? 'dispute.closed' : 'dispute.updated']
}
