import { assert } from '@lockstep/core/assert'
import type { Instant } from '@lockstep/core/instant'
import type { Quantity } from '@lockstep/core/quantity'
import type { Arrival } from './arrival.ts'
import type { Place, Places } from './places.ts'

/** What a batch adds to one bucket of one customer and meter. */
export interface Rollup extends Sums {
  readonly customerId: string
  readonly bucket: Instant
  readonly meterKey: string
}

export interface Sums {
  count: number
  sum: Quantity
  /** The arrival with the greatest quantity. */
  max: Arrival
  last: Arrival
}

/**
 * Adds a batch up, one rollup a bucket, in an order that every process agrees on: whoever writes the
 * same rows waits for the other instead of locking it out.
 */
export function rollUp(arrivals: readonly Arrival[], { all, of }: Places): Rollup[] {
  const places = new Map<Place, Map<string, Rollup>>(all.map((place) => [place, new Map()]))
  for (const arrival of arrivals) {
    const place = of(arrival)
    const inPlace = places.get(place)
    assert(inPlace !== undefined)
    const bucket = bucketOf(arrival.time, place)
    const key = bucket === place.hour ? arrival.meterKey : `${bucket} ${arrival.meterKey}`
    const rollup = inPlace.get(key)
    if (rollup) add(rollup, arrival)
    else inPlace.set(key, first(arrival, bucket))
  }
  // Place by place, which is much less to sort: buckets of one lie all before or all after those of another.
  return [...places]
    .sort(([a], [b]) => compare(a.customer.id, b.customer.id) || a.hour - b.hour)
    .flatMap(([, inPlace]) =>
      [...inPlace.values()].sort((a, b) => a.bucket - b.bucket || compare(a.meterKey, b.meterKey)),
    )
}

const first = (arrival: Arrival, bucket: Instant): Rollup => ({
  customerId: arrival.customer.id,
  bucket,
  meterKey: arrival.meterKey,
  count: 1,
  sum: arrival.quantity,
  max: arrival,
  last: arrival,
})

export function add(rollup: Sums, arrival: Arrival): void {
  rollup.count += 1
  rollup.sum += arrival.quantity
  if (arrival.quantity > rollup.max.quantity) rollup.max = arrival
  if (isLater(arrival, rollup.last)) rollup.last = arrival
}

/** The hour of `at`, or the latest cut inside it that is not after `at`. */
export function bucketOf(at: Instant, { hour, cuts }: Pick<Place, 'hour' | 'cuts'>): Instant {
  let bucket = hour
  for (const cut of cuts) if (cut <= at && cut > bucket) bucket = cut
  return bucket
}

/**
 * By the event's own time, to the microsecond; of two at the same time the one with the greater id by
 * Unicode, then the greater quantity. So `last` does not depend on the order in which events come.
 */
function isLater(a: Arrival, b: Arrival): boolean {
  if (a.time !== b.time) return a.time > b.time
  if (a.microseconds !== b.microseconds) return a.microseconds > b.microseconds
  const ids = Buffer.compare(Buffer.from(a.id), Buffer.from(b.id))
  return ids === 0 ? a.quantity > b.quantity : ids > 0
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
