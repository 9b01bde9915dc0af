import { assert } from './assert.ts'
import { parseDecimal } from './decimal.ts'
import { divideRounded } from './divide.ts'

/** A tax at a rate that is written down. https://docs.stripe.com/billing/taxes/tax-rates */
export interface TaxRate {
  readonly id: string
  readonly name: string
  /** In percent, as decimal text. */
  readonly percent: string
  /** Whether amounts contain it already; an exclusive one is added to them. */
  readonly inclusive: boolean
}

/** Rates have at most four decimals; more do no harm. */
const PERCENT_DIGITS = 12
const WHOLE = 100n * 10n ** BigInt(PERCENT_DIGITS)

/**
 * The taxes on one line's amount after its discounts, in the order of the rates, each rounded by itself, half away from
 * zero. All are shares of the amount without its inclusive ones: 10.00 at 20 % is 2.00 on top, or 1.67 inside.
 */
export function taxesOn(amount: bigint, rates: readonly TaxRate[]): bigint[] {
  const scaled = rates.map(({ percent }) => {
    const value = parseDecimal(percent, PERCENT_DIGITS)
    assert(value !== undefined, 'a tax rate is decimal text')
    return value
  })
  const inside = rates.reduce((sum, { inclusive }, i) => sum + (inclusive ? (scaled[i] ?? 0n) : 0n), 0n)
  return scaled.map((rate) => divideRounded(amount * rate, WHOLE + inside))
}
