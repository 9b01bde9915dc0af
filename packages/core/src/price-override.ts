import type { Instant } from './instant.ts'
import type { Price } from './price.ts'

/** A price that one subscription has of its own, or the plan's again. Never edited: one made later holds instead. */
export interface PriceOverride {
  readonly id: string
  /** The price's key. */
  readonly price: string
  /** Null: the plan's price again. */
  readonly terms: Price | null
  /** It holds for the periods that begin at this moment or after it. */
  readonly startsAt: Instant
}

/**
 * The prices by which a period is rated that begins at `at`: the plan's, and the subscription's own in their
 * place. `overrides` are in the order in which they were made: from its beginning on the one made last holds, also
 * before one that was made earlier and begins later, which was taken back or corrected by it. An own price stays
 * with the subscription from plan to plan, wherever there is a price of that key for the same thing.
 */
export function withOwnPrices(
  prices: readonly Price[],
  overrides: readonly PriceOverride[],
  at: Instant,
): Price[] {
  const begun = overrides.filter(({ startsAt }) => startsAt <= at)
  return prices.map((price) => {
    const last = begun.findLast((override) => override.price === price.key)
    if (!last?.terms || !isForTheSame(price, last.terms)) return price
    // What it is called and sold as is the plan's to say.
    return { ...last.terms, name: price.name, product: price.product, override: last.id }
  })
}

/** The moments from `since` on, each once, at which a period has to begin for the prices to be others than before. */
export function beginningsOf(overrides: readonly PriceOverride[], since: Instant): Instant[] {
  const later = overrides.map(({ startsAt }) => startsAt).filter((at) => at > since)
  return [...new Set([since, ...later])].toSorted((a, b) => a - b)
}

/**
 * No fee is: one in advance is an item at the provider and has its price there, and the statistics count both
 * kinds as recurring revenue by what the plan says.
 */
export function isOverridable({ kind }: Price): boolean {
  return kind !== 'recurring'
}

function isForTheSame(one: Price, other: Price): boolean {
  if (one.kind === 'bound' && one.model !== other.model) return false
  // Usage is read in the groups that the plan names, so a price by other groups would find none.
  const groups = ({ groupBy = [] }: Price) => JSON.stringify(groupBy)
  return (
    one.kind === other.kind &&
    one.meter === other.meter &&
    one.currency === other.currency &&
    groups(one) === groups(other)
  )
}
