import { formatDecimal, PICOS, parseDecimal, roundPicos } from './decimal.ts'

/** What of a price decides an amount. Decimals are texts, as on the wire. */
export interface PriceTerms {
  readonly billing_scheme: string
  readonly tiers_mode: string | null
  readonly unit_amount_decimal: string | null
  readonly transform_quantity: { readonly divide_by: number; readonly round: string } | null
  readonly tiers?: readonly PriceTier[] | undefined
}

interface PriceTier {
  readonly flat_amount_decimal: string | null
  readonly unit_amount_decimal: string | null
  /** Inclusive; null on the last tier, which has no end. */
  readonly up_to: number | null
}

/** A stretch of the quantity at one unit amount, before rounding. */
export interface PricePart {
  /** Exact, as decimal text: usage need not be whole. */
  readonly quantity: string
  readonly unitAmount: string | null
  readonly picos: bigint
  /** 1-based tier, or null for a price without tiers. */
  readonly tier: number | null
}

/**
 * The parts of a price for a quantity (a number of seats, or usage as decimal text). The caller rounds once
 * per line. https://docs.stripe.com/products-prices/pricing-models
 */
export function priceParts(price: PriceTerms, quantity: number | string): PricePart[] {
  const picos = parseDecimal(String(quantity))
  if (price.billing_scheme === 'tiered') {
    const tiers = price.tiers ?? []
    return price.tiers_mode === 'volume' ? volume(tiers, picos) : graduated(tiers, picos)
  }
  const units = transformed(price, picos)
  const unitAmount = price.unit_amount_decimal ?? '0'
  return [{ quantity: formatDecimal(units), unitAmount, picos: times(unitAmount, units), tier: null }]
}

/**
 * A unit amount times a quantity in 1e-12 of a unit, in picos of the minor unit. What is finer than a pico
 * is cut off: quantities are never negative, so a later rounding of halves comes out the same.
 */
function times(unitAmount: string, quantity: bigint): bigint {
  return (parseDecimal(unitAmount) * quantity) / PICOS
}

/** The amount in picos of the minor unit. */
export function pricePicos(price: PriceTerms, quantity: number | string): bigint {
  return priceParts(price, quantity).reduce((sum, part) => sum + part.picos, 0n)
}

/** The amount of one line in the minor unit, rounded once. */
export function priceAmount(price: PriceTerms, quantity: number | string): number {
  return roundPicos(pricePicos(price, quantity))
}

/** Packages: the quantity is divided, and what does not fill a package rounds up or down. */
function transformed({ transform_quantity: transform }: PriceTerms, quantity: bigint): bigint {
  if (transform === null) return quantity
  const divideBy = BigInt(transform.divide_by) * PICOS
  const extra = transform.round === 'up' ? divideBy - 1n : 0n
  return ((quantity + extra) / divideBy) * PICOS
}

/** Each unit at the price of its own tier; the flat amount of every tier entered is added. */
function graduated(tiers: readonly PriceTier[], quantity: bigint): PricePart[] {
  const parts: PricePart[] = []
  let below = 0n
  for (const [i, tier] of tiers.entries()) {
    // A quantity of zero still enters the first tier, and so pays its flat amount.
    if (i > 0 && quantity <= below) break
    const end = endOf(tier)
    const top = end === null || quantity < end ? quantity : end
    parts.push(tierPart(tier, top - below, i + 1))
    below = top
    if (end === null || quantity <= end) break
  }
  return parts
}

/** All units at the price of the tier that the quantity reaches, and that tier's flat amount. */
function volume(tiers: readonly PriceTier[], quantity: bigint): PricePart[] {
  const reached = tiers.findIndex((tier) => {
    const end = endOf(tier)
    return end === null || quantity <= end
  })
  const tier = tiers[reached]
  return tier === undefined ? [] : [tierPart(tier, quantity, reached + 1)]
}

/** In 1e-12 of a unit, as quantities are. */
function endOf({ up_to: end }: PriceTier): bigint | null {
  return end === null ? null : BigInt(end) * PICOS
}

function tierPart(tier: PriceTier, quantity: bigint, number: number): PricePart {
  return {
    quantity: formatDecimal(quantity),
    unitAmount: tier.unit_amount_decimal,
    picos: times(tier.unit_amount_decimal ?? '0', quantity) + parseDecimal(tier.flat_amount_decimal ?? '0'),
    tier: number,
  }
}

/** The whole number of the minor unit in a decimal text, or null where it is finer. */
export function wholeAmount(decimal: string | null): number | null {
  if (decimal === null) return null
  const picos = parseDecimal(decimal)
  return picos % PICOS === 0n ? Number(picos / PICOS) : null
}
