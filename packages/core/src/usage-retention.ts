import type { Instant } from './instant.ts'

/**
 * From when on raw usage events are kept: the beginning (UTC) of the calendar month that lies `months` before the one of
 * `now`. On 31 March 2026 and of 13 months that is 1 February 2025: the month that runs and 13 whole ones before it.
 */
export function keptSince(now: Instant, months: number): Instant {
  const date = new Date(now * 1000)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - months) / 1000
}

/** Why the events of a month that is old enough are kept all the same. */
export const retentionHolds = [
  /** For somebody whose clock stands earlier the month is not old enough yet. */
  'clock',
  /** A period that is not over, or whose invoice is not final, reaches into it. */
  'open',
  /** Its invoice became final too short a while ago, so it may still be objected to. */
  'recent',
  /** Something of it is still to be billed. */
  'pending',
  /** The rollups do not hold what the events do: then the events are the proof. */
  'drift',
] as const

export type RetentionHold = (typeof retentionHolds)[number]

/** A calendar month of UTC by any moment in it: `2025-03`. */
export function formatMonth(at: Instant): string {
  return new Date(at * 1000).toISOString().slice(0, 7)
}
