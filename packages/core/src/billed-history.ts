import { type AttachedAddon, areSameAddons } from './addon.ts'
import type { Instant } from './instant.ts'
import { areSameNumbers, type ItemNumbers } from './item-numbers.ts'
import type { Period } from './period.ts'

/** What a subscription is for, and how many of it. */
export interface SoldTerms {
  readonly planVersionId: string
  readonly quantity: number
  readonly addons: readonly AttachedAddon[]
  readonly itemNumbers: ItemNumbers
}

/** A stretch of the history that is kept; `fee` is what one interval costs, in minor units. */
export interface KeptStretch extends SoldTerms {
  readonly ordinal: number
  readonly startsAt: Instant
  /** Infinite of the last one. */
  readonly endsAt: Instant
  /** When it was heard of, and its contract concluded: later than it starts, where the provider named the moment. */
  readonly recordedAt: Instant
  readonly fee: bigint
}

/** What was agreed on, from when on. The first contract counts for all of the time before it. */
export interface AgreedTerms extends SoldTerms {
  readonly contractId: string
  readonly from: Instant
}

/** What the provider billed for a period, ahead of it. */
export interface BilledTerms extends SoldTerms {
  readonly period: Period
  readonly fee: bigint
  /** Whether it says everything that stood there; a proration says what it is of. */
  readonly isWhole: boolean
}

export interface ContradictedStretch {
  readonly ordinal: number
  /** The contract of that time, where it says what was billed. */
  readonly contractId: string | null
  /** Nothing but what the stretch is for was altered: it lies in the time of that contract. */
  readonly isMendable: boolean
}

/** A contract and the stretch that it began are written with one time; what is told to the second may be one off. */
const SLACK_SECONDS = 60

export function areSameTerms(a: SoldTerms, b: SoldTerms): boolean {
  return (
    a.planVersionId === b.planVersionId &&
    a.quantity === b.quantity &&
    areSameAddons(a.addons, b.addons) &&
    areSameNumbers(a.itemNumbers, b.itemNumbers)
  )
}

/** The contract that is for what a stretch is for, during all of it; null where none is. */
export function agreedFor(stretch: KeptStretch, contracts: readonly AgreedTerms[] = []): AgreedTerms | null {
  const agreed = changesOf(contracts)
  const its = agreed.find((one) => isIn(stretch, one, agreed) && areSameTerms(stretch, one))
  return its ?? null
}

/** Without the contracts that leave the terms as they were: who agrees on a discount goes on in the same stretch. */
function changesOf(contracts: readonly AgreedTerms[]): readonly AgreedTerms[] {
  return contracts.filter((one, index) => {
    const before = contracts[index - 1]
    return before === undefined || !areSameTerms(before, one)
  })
}

/** Whether a stretch lies in the time of a contract, which begins when the stretch was heard of. */
function isIn(
  { startsAt, endsAt, recordedAt }: KeptStretch,
  contract: AgreedTerms,
  agreed: readonly AgreedTerms[],
): boolean {
  const next = agreed[agreed.indexOf(contract) + 1]
  const since = contract === agreed[0] ? Number.NEGATIVE_INFINITY : contract.from - SLACK_SECONDS
  const until = next === undefined ? Number.POSITIVE_INFINITY : next.from + SLACK_SECONDS
  return Math.max(startsAt, recordedAt) >= since && endsAt <= until
}

/**
 * The stretch of a history that is not what the provider billed, if somebody altered it; null where nothing says so.
 *
 * What changes at the provider may be heard of late, and what came and went meanwhile never: then what was billed is neither in the
 * history nor agreed on, and nobody altered anything. History and contract are written in one transaction, and a contract is
 * never changed: so the history was altered where at a time for which the contract says what was billed it says something else, or where
 * neither the history, nor the contract, nor what was billed say the same.
 *
 * `stretches` and `contracts` in order of time.
 */
export function contradicted(
  billed: BilledTerms,
  stretches: readonly KeptStretch[],
  contracts: readonly AgreedTerms[],
): ContradictedStretch | null {
  const { start, end } = billed.period
  const agreed = changesOf(contracts)
  const agreedAt = (at: Instant) => agreed.findLast(({ from }) => from <= at) ?? agreed[0]
  const isSaidAt = (at: Instant, terms: SoldTerms) =>
    stretches.some(
      (one) => one.startsAt <= at + SLACK_SECONDS && at <= one.endsAt && areSameTerms(one, terms),
    )
  const moments = [start, ...agreed.map(({ from }) => from).filter((from) => from > start && from < end)]
  const known = (at: Instant) => stretches.find(({ startsAt, endsAt }) => startsAt <= at && at < endsAt)

  for (const at of moments) {
    const contract = agreedAt(at)
    if (!contract || !areSameTerms(contract, billed)) continue
    const stretch = known(at)
    // Of the time before the history begins it says nothing.
    if (!stretch || isSaidAt(at, billed)) return null
    const isMendable = isIn(stretch, contract, agreed)
    return { ordinal: stretch.ordinal, contractId: contract.contractId, isMendable }
  }

  const stretch = known(start)
  if (!billed.isWhole || !stretch || stretch.fee === billed.fee) return null
  const during = stretches.filter(({ startsAt, endsAt }) => startsAt < end && endsAt > start)
  if (during.some((one) => areSameTerms(one, billed))) return null
  // What was there before the history was kept was not seen.
  const isSeen = agreed.length > 0 || start >= (stretches[0]?.recordedAt ?? start)
  const contract = agreedAt(Math.max(start, stretch.recordedAt))
  // Of several that were concluded in one second, the last one is for what came after it.
  const isAgreed =
    (contract !== undefined && areSameTerms(contract, stretch)) || agreedFor(stretch, agreed) !== null
  return isSeen && !isAgreed ? { ordinal: stretch.ordinal, contractId: null, isMendable: false } : null
}
