import type { Arrival, Arrivals, Conflict, Receipt } from './arrival.ts'
import type { Hash } from './identity.ts'
import { Places } from './places.ts'

/** Requests that are written in one transaction. */
export interface Batch {
  readonly requests: readonly Arrivals[]
  /** The first arrival of each identity, sorted: two processes with the same events cannot deadlock. */
  readonly firsts: readonly Arrival[]
  /** Of the gate, in rising order. */
  readonly stripes: readonly number[]
  readonly places: Places
}

export function coalesce(requests: readonly Arrivals[]): Batch {
  // Sorting keeps equals in their order, so of each identity the first one comes first.
  const sorted = requests.flat().sort(byIdentity)
  const firsts = sorted.filter(({ identity }, i) => i === 0 || identity !== sorted[i - 1]?.identity)
  const places = new Places()
  for (const arrival of firsts) places.of(arrival)
  return {
    requests,
    firsts,
    stripes: [...new Set(places.all.map(({ customer }) => customer.stripe))].sort((a, b) => a - b),
    places,
  }
}

const byIdentity = (a: Arrival, b: Arrival) =>
  a.rank - b.rank || (a.identity < b.identity ? -1 : a.identity > b.identity ? 1 : 0)

/** What the database says of a batch's identities. */
export interface Known {
  /** Identities that were not there before; undefined for: all of them. */
  readonly fresh: ReadonlySet<Hash> | undefined
  /** Identity and body hash of arrivals whose identity was there before with another body. */
  readonly conflicting: ReadonlySet<string>
}

/** Tells each request what became of its events. */
export function receiptsOf({ requests, firsts }: Batch, { fresh, conflicting }: Known): Receipt[] {
  const sent = requests.reduce((count, arrivals) => count + arrivals.length, 0)
  if (!fresh && firsts.length === sent) {
    return requests.map(({ length }) => ({ accepted: length, duplicates: 0, conflicts: [] }))
  }
  const firstOf = new Map(firsts.map((first) => [first.identity, first]))
  const isConflict = (arrival: Arrival) => {
    const { identity, bodyHash } = arrival
    if (fresh && !fresh.has(identity)) return conflicting.has(identity + bodyHash)
    return firstOf.get(identity)?.bodyHash !== bodyHash
  }
  return requests.map((arrivals) => {
    let accepted = 0
    const conflicts: Conflict[] = []
    arrivals.forEach((arrival, index) => {
      const isFresh = !fresh || fresh.has(arrival.identity)
      if (isFresh && firstOf.get(arrival.identity) === arrival) accepted += 1
      else if (isConflict(arrival)) conflicts.push({ index, source: arrival.source, id: arrival.id })
    })
    return { accepted, duplicates: arrivals.length - accepted - conflicts.length, conflicts }
  })
}
