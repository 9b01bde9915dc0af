import type { Instant } from './instant.ts'
import type { Period } from './period.ts'
import type { Quantity } from './quantity.ts'

/** What the events of one bucket do to a level, added up. */
export interface LevelChange {
  /** The bucket's start. */
  readonly start: Instant
  /** By how much the level is another after the bucket. */
  readonly change: Quantity
  /** Σ of each change times the whole seconds from the bucket's start to it. */
  readonly moment: Quantity
}

/**
 * A level held over a period, in units times seconds: each change counts from its own second to the
 * period's end, and what was there before for all of it. Sums only, so the order in which changes become
 * known does not matter. Buckets lie in the period or outside, never across its edges.
 */
export function weigh(changes: readonly LevelChange[], { start, end }: Period): Quantity {
  return changes.reduce((sum, { start: bucket, change, moment }) => {
    if (bucket >= end) return sum
    return bucket < start ? sum + change * BigInt(end - start) : sum + change * BigInt(end - bucket) - moment
  }, 0n)
}
