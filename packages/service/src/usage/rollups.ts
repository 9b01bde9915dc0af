import type { Instant } from '@lockstep/core/instant'
import type { Quantity } from '@lockstep/core/quantity'
import type { Arrival } from './arrival.ts'
import { microsecondsOf } from './identity.ts'

/** What a batch adds to one bucket of one customer and meter. */
export interface Rollup {
  readonly customerId: string
  readonly meterKey: string
  readonly bucket: Instant
  count: number
  sum: Quantity
  max: Quantity
  last: Arrival
}

export const SECONDS_PER_HOUR = 3600

export const hourOf = (at: Instant): Instant => Math.floor(at / SECONDS_PER_HOUR) * SECONDS_PER_HOUR

/** The hour of `at`, or the latest cut inside it that is not after `at`. */
export function bucketOf(at: Instant, cuts: readonly Instant[]): Instant {
  let bucket = hourOf(at)
  for (const cut of cuts) if (cut <= at && cut > bucket) bucket = cut
  return bucket
}

/**
 * Adds a batch up, one rollup a bucket, in an order that every process agrees on: whoever writes the
 * same rows waits for the other instead of locking it out.
 */
export function rollUp(
  arrivals: readonly Arrival[],
  cutsOf: (arrival: Arrival) => readonly Instant[],
): Rollup[] {
  const rollups = new Map<string, Rollup>()
  for (const arrival of arrivals) {
    const { quantity, time, type: meterKey } = arrival.event
    const customerId = arrival.customer.id
    const bucket = bucketOf(time, cutsOf(arrival))
    const key = `${customerId} ${bucket} ${meterKey}`
    const rollup = rollups.get(key)
    if (!rollup) {
      rollups.set(key, {
        customerId,
        meterKey,
        bucket,
        count: 1,
        sum: quantity,
        max: quantity,
        last: arrival,
      })
      continue
    }
    rollup.count += 1
    rollup.sum += quantity
    if (quantity > rollup.max) rollup.max = quantity
    if (isLater(arrival, rollup.last)) rollup.last = arrival
  }
  return [...rollups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, rollup]) => rollup)
}

/**
 * By the event's own time, to the microsecond; of two at the same time the one with the greater id by
 * Unicode, then the greater quantity. So `last` does not depend on the order in which events come.
 */
function isLater(a: Arrival, b: Arrival): boolean {
  if (a.event.time !== b.event.time) return a.event.time > b.event.time
  const microseconds = microsecondsOf(a.event.timeText) - microsecondsOf(b.event.timeText)
  if (microseconds !== 0) return microseconds > 0
  const ids = Buffer.compare(Buffer.from(a.event.id), Buffer.from(b.event.id))
  return ids === 0 ? a.event.quantity > b.event.quantity : ids > 0
}
