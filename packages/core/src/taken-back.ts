import type { TimeLine } from './credited-since.ts'
import { allocate, type Money, negate } from './money.ts'
import type { Period } from './period.ts'

// What a period's line is billed for stands on one document or on several; what is corrected later, on another one, as a
// line below zero of the same name. It gives back of the documents that billed it, the last one first.

/** A part of a line of ours, on a document of the provider's. */
export interface SentPart {
  /** Of which line of which period. */
  readonly of: string
  readonly period: Period
  /** Before discounts and tax: what the parts of a line are counted in. */
  readonly amount: Money
  /** With its tax and less its discounts. */
  readonly net: Money
}

export interface SentParts {
  readonly id: string
  readonly parts: readonly SentPart[]
}

/**
 * By the document on which it stands, what takes back earlier parts of lines, and of which document. The documents are
 * given oldest first. What none of them billed is credited of none. The shares of one part add up to it, to the coin.
 */
export function takenBack(documents: readonly SentParts[]): ReadonlyMap<string, readonly TimeLine[]> {
  const billed = new Map<string, { readonly id: string; left: bigint }[]>()
  const back = new Map<string, TimeLine[]>()
  for (const { id, parts } of documents) {
    const lines = parts.flatMap((part) => {
      const before = billed.get(part.of) ?? []
      if (part.amount.minor >= 0n) {
        billed.set(part.of, [...before, { id, left: part.amount.minor }])
        return []
      }
      return toTimeLines(part, take(before, -part.amount.minor))
    })
    back.set(id, lines)
  }
  return back
}

interface Taken {
  readonly id: string | null
  readonly minor: bigint
}

/** Of what was billed before, the last first; what is beyond it of nothing. */
function take(before: readonly { readonly id: string; left: bigint }[], back: bigint): Taken[] {
  const taken: Taken[] = []
  let missing = back
  for (const billed of before.toReversed()) {
    const isAll = billed.left <= missing
    const minor = isAll ? billed.left : missing
    billed.left -= minor
    missing -= minor
    if (minor > 0n) taken.push({ id: billed.id, minor })
  }
  return missing > 0n ? [...taken, { id: null, minor: missing }] : taken
}

function toTimeLines({ of, period, net }: SentPart, taken: readonly Taken[]): TimeLine[] {
  const shares = allocate(
    negate(net),
    taken.map(({ minor }) => minor),
  )
  // A name of its own: what is credited of a line is nothing that its fee is billed for instead.
  return taken.map(({ id: credits }, at) => ({
    ...{ subscription: of, period, credits },
    amount: negate(shares[at] as Money),
  }))
}
