import type { Instant } from '@lockstep/core/instant'
import type { Period } from '@lockstep/core/period'
import type { Arrival, Arrivals, Conflict, Receipt } from './arrival.ts'
import type { UsageCustomer } from './directory.ts'
import type { Hash } from './identity.ts'
import { hourOf } from './rollups.ts'

/** Requests that are written in one transaction. */
export interface Batch {
  readonly requests: readonly Arrivals[]
  /** The first arrival of each identity, sorted: two processes with the same events cannot deadlock. */
  readonly firsts: readonly Arrival[]
  /** Of the gate, in rising order. */
  readonly stripes: readonly number[]
  readonly places: readonly Place[]
  placeOf(arrival: Arrival): Place
}

/** One customer's hour, and what the database says of it. */
export interface Place {
  readonly customer: UsageCustomer
  readonly hour: Instant
  readonly cuts: Instant[]
  readonly invoices: TouchedInvoice[]
}

/** An invoice that is to be marked when an event of its period is taken in. */
export interface TouchedInvoice {
  readonly id: string
  readonly subscriptionId: string | null
  readonly period: Period
  /** It is frozen: the event is late usage. */
  readonly frozen: boolean
}

export function coalesce(requests: readonly Arrivals[]): Batch {
  const firsts = new Map<Hash, Arrival>()
  const stripes = new Set<number>()
  const places = new Map<string, Place>()
  for (const arrivals of requests) {
    for (const arrival of arrivals) {
      if (!firsts.has(arrival.identity)) firsts.set(arrival.identity, arrival)
      const key = placeKey(arrival)
      if (places.has(key)) continue
      const { customer } = arrival
      stripes.add(customer.stripe)
      places.set(key, { customer, hour: hourOf(arrival.event.time), cuts: [], invoices: [] })
    }
  }
  return {
    requests,
    firsts: [...firsts.values()].sort((a, b) => (a.identity < b.identity ? -1 : 1)),
    stripes: [...stripes].sort((a, b) => a - b),
    places: [...places.values()],
    placeOf: (arrival) => places.get(placeKey(arrival)) as Place,
  }
}

const placeKey = ({ customer, event }: Arrival) => `${customer.id} ${hourOf(event.time)}`

/** What the database says of a batch's identities. */
export interface Known {
  /** Identities that were not there before; undefined for: all of them. */
  readonly fresh: ReadonlySet<Hash> | undefined
  /** Identity and body hash of arrivals whose identity was there before with another body. */
  readonly conflicting: ReadonlySet<string>
}

export const conflictKey = ({ identity, bodyHash }: Arrival) => identity + bodyHash

/** Tells each request what became of its events. */
export function receiptsOf({ requests, firsts }: Batch, { fresh, conflicting }: Known): Receipt[] {
  const firstOf = new Map(firsts.map((first) => [first.identity, first]))
  const isConflict = (arrival: Arrival) => {
    if (fresh && !fresh.has(arrival.identity)) return conflicting.has(conflictKey(arrival))
    return firstOf.get(arrival.identity)?.bodyHash !== arrival.bodyHash
  }
  return requests.map((arrivals) => {
    let accepted = 0
    const conflicts: Conflict[] = []
    arrivals.forEach((arrival, index) => {
      const isFresh = !fresh || fresh.has(arrival.identity)
      if (isFresh && firstOf.get(arrival.identity) === arrival) accepted += 1
      else if (isConflict(arrival)) {
        conflicts.push({ index, source: arrival.event.source, id: arrival.event.id })
      }
    })
    return { accepted, duplicates: arrivals.length - accepted - conflicts.length, conflicts }
  })
}
