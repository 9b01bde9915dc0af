import type { Instant } from './instant.ts'

/** A half-open stretch of time, `[start, end)`: the second of `end` belongs to the next period. */
export interface Period {
  readonly start: Instant
  readonly end: Instant
}

export function contains({ start, end }: Period, at: Instant): boolean {
  return start <= at && at < end
}

/** How long a period is. Months differ, and so do their prices per second. */
export function seconds({ start, end }: Period): number {
  return end - start
}
