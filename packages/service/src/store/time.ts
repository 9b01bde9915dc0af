import type { Instant } from '@lockstep/core/instant'

/** An Instant as a query parameter: timestamptz columns are written as a Date and read as an Instant. */
export function sqlTime(at: Instant): Date {
  return new Date(at * 1000)
}
