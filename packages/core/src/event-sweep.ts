import type { Instant } from './instant.ts'

/** So long a provider lists its events: https://docs.stripe.com/webhooks/process-undelivered-events */
const KEPT_SECONDS = 30 * 86_400
/** So far a sweep looks behind where the last one began: clocks differ, and an event may be listed late. */
const OVERLAP_SECONDS = 2 * 3600
/** The oldest events fall off the list while it is read. */
const MARGIN_SECONDS = 3600

export interface SweepWindow {
  /** Events and objects made since then are looked at. */
  readonly from: Instant
  /** Events of that time are no longer listed: only every object itself tells what happened. */
  readonly isBeyond: boolean
}

/** What a sweep has to read, by the provider's wall clock. `sweptTo`: when the last one that ended had begun. */
export function sweepWindow({ sweptTo, now }: { sweptTo: Instant; now: Instant }): SweepWindow {
  const from = Math.min(sweptTo, now) - OVERLAP_SECONDS
  return { from, isBeyond: from < now - KEPT_SECONDS + MARGIN_SECONDS }
}
