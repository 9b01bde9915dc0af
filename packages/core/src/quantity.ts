import { assert } from './assert.ts'
import { formatDecimal, parseDecimal } from './decimal.ts'

/**
 * Units of a meter, in 1e-9 of its unit: 0.1 GiB is `100_000_000n`. Exact, and `numeric(24,9)` in
 * SQL. A tenth ten times over is one.
 */
export type Quantity = bigint

export const NANOS_PER_UNIT = 1_000_000_000n

/** Decimals of a unit that a quantity may have. */
export const QUANTITY_DIGITS = 9

/** One event's quantity has at most 15 digits before the point: what `numeric(24,9)` holds. */
const LIMIT = 10n ** 24n

/** Reads one quantity that somebody wrote; undefined unless exact and within `numeric(24,9)`. */
export function parseQuantity(text: string): Quantity | undefined {
  const nanos = parseDecimal(text, QUANTITY_DIGITS)
  return nanos === undefined || nanos <= -LIMIT || nanos >= LIMIT ? undefined : nanos
}

/** Reads a quantity or a sum of many that a store of ours wrote, `numeric(38,9)`. */
export function quantityOf(text: string): Quantity {
  const nanos = parseDecimal(text, QUANTITY_DIGITS)
  assert(nanos !== undefined, `not a quantity: ${text}`)
  return nanos
}

/** The shortest exact text: `1.5`, `2747282740`. */
export function formatQuantity(quantity: Quantity): string {
  return formatDecimal(quantity, QUANTITY_DIGITS)
}

/** A whole number of units: `units(3n)` is 3. */
export function units(count: bigint): Quantity {
  return count * NANOS_PER_UNIT
}
