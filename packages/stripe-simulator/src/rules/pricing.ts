import { PICOS, parseDecimal, roundPicos } from './decimal.ts'

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
  readonly quantity: bigint
  readonly unitAmount: string | null
  readonly picos: bigint
  /** 1-based tier, or null for a price without tiers. */
  readonly tier: number | null
}

/**
 * The parts of a price for a quantity, exact. The caller rounds once per line.
 * https://docs.stripe.com/products-prices/pricing-models
 */
export function priceParts(price: PriceTerms, quantity: number): PricePart[] {
  if (price.billing_scheme === 'tiered') {
    const tiers = price.tiers ?? []
    return price.tiers_mode === 'volume' ? volume(tiers, quantity) : graduated(tiers, quantity)
  }
  const units = transformed(price, quantity)
  const unitAmount = price.unit_amount_decimal ?? '0'
  return [{ quantity: units, unitAmount, picos: parseDecimal(unitAmount) * units, tier: null }]
}

/** The exact amount in picos of the minor unit. */
export function pricePicos(price: PriceTerms, quantity: number): bigint {
  return priceParts(price, quantity).reduce((sum, part) => sum + part.picos, 0n)
}

/** The amount of one line in the minor unit, rounded once. */
export function priceAmount(price: PriceTerms, quantity: number): number {
  return roundPicos(pricePicos(price, quantity))
}

/** Packages: the quantity is divided, and what does not fill a package rounds up or down. */
function transformed({ transform_quantity: transform }: PriceTerms, quantity: number): bigint {
  if (transform === null) return BigInt(quantity)
  const divideBy = BigInt(transform.divide_by)
  const extra = transform.round === 'up' ? divideBy - 1n : 0n
  return (BigInt(quantity) + extra) / divideBy
}

/** Each unit at the price of its own tier; the flat amount of every tier entered is added. */
function graduated(tiers: readonly PriceTier[], quantity: number): PricePart[] {
  const parts: PricePart[] = []
  let below = 0
  for (const [i, tier] of tiers.entries()) {
    // A quantity of zero still enters the first tier, and so pays its flat amount.
    if (i > 0 && quantity <= below) break
    const top = tier.up_to === null ? quantity : Math.min(quantity, tier.up_to)
    parts.push(tierPart(tier, top - below, i + 1))
    below = top
    if (tier.up_to === null || quantity <= tier.up_to) break
  }
  return parts
}

/** All units at the price of the tier that the quantity reaches, and that tier's flat amount. */
function volume(tiers: readonly PriceTier[], quantity: number): PricePart[] {
  const reached = tiers.findIndex((tier) => tier.up_to === null || quantity <= tier.up_to)
  const tier = tiers[reached]
  return tier === undefined ? [] : [tierPart(tier, quantity, reached + 1)]
}

function tierPart(tier: PriceTier, units: number, number: number): PricePart {
  const unit = parseDecimal(tier.unit_amount_decimal ?? '0')
  const flat = parseDecimal(tier.flat_amount_decimal ?? '0')
  return {
    quantity: BigInt(units),
    unitAmount: tier.unit_amount_decimal,
    picos: unit * BigInt(units) + flat,
    tier: number,
  }
}

/** The whole number of the minor unit in a decimal text, or null where it is finer. */
export function wholeAmount(decimal: string | null): number | null {
  if (decimal === null) return null
  const picos = parseDecimal(decimal)
  return picos % PICOS === 0n ? Number(picos / PICOS) : null
}
