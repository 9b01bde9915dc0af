import type { TimeLine } from './credited-since.ts'
import { newBilledLine, type Taken } from './given-back.ts'
import { allocate, type Money, negate } from './money.ts'
import type { Period } from './period.ts'

// What a period's line is billed for stands on one document or on several; what is corrected later, on another one, as a
// line below zero of the same name. It gives back of the documents that billed it, the last one first.

/** A part of a line of ours, on a document of the provider's. */
export interface SentPart {
  /** Of which line of which period. */
  readonly of: string
  readonly period: Period
  /** How much of the line it stands for, before discounts and tax; below zero where it takes back. */
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
 * given oldest first. What none of them billed is credited of none. The shares of one part are as what was paid for what it
 * takes back of each, and add up to it, to the coin.
 */
export function takenBack(documents: readonly SentParts[]): ReadonlyMap<string, readonly TimeLine[]> {
  const billed = new Map<string, ReturnType<typeof newBilledLine<string>>>()
  const back = new Map<string, TimeLine[]>()
  for (const { id, parts } of documents) {
    const lines = parts.flatMap((part) => {
      const line = billed.get(part.of) ?? newBilledLine<string>()
      billed.set(part.of, line)
      const { amount, net } = part
      return toTimeLines(part, line.add(amount.minor, amount.minor - net.minor, id))
    })
    back.set(id, lines)
  }
  return back
}

function toTimeLines({ of, period, net }: SentPart, taken: readonly Taken<string>[]): TimeLine[] {
  if (taken.length === 0) return []
  const isPaid = taken.some(({ paid }) => paid > 0n)
  const shares = allocate(
    negate(net),
    taken.map(({ minor, paid }) => (isPaid ? atLeastNothing(paid) : minor)),
  )
  // A name of its own: what is credited of a line is nothing that its fee is billed for instead.
  return taken.map(({ by: credits }, at) => ({
    ...{ subscription: of, period, credits, isUsage: true },
    amount: negate(shares[at] as Money),
  }))
}

const atLeastNothing = (minor: bigint): bigint => (minor < 0n ? 0n : minor)
