import type { Instant } from '@lockstep/core/instant'

/**
 * An Instant on its way into a query: to the driver it is a Date, to the types of a comparison with a
 * timestamptz column, which is read as an Instant, also one of those. Not for reckoning.
 */
export type SqlTime = Date & Instant

/** An Instant as a query parameter: timestamptz columns are written with it and read as an Instant. */
export function sqlTime(at: Instant): SqlTime {
  return new Date(at * 1000) as SqlTime
}
