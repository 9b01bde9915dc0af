import { assert } from './assert.ts'
import { exponentOf } from './currency.ts'
import { formatDecimal, formatFixed, parseDecimal } from './decimal.ts'
import { NANOS_PER_UNIT, type Quantity } from './quantity.ts'

/** An ISO 4217 alphabetic code in lower case, the way Stripe writes it: `usd`, `jpy`, `kwd`. */
export type Currency = string

/**
 * An exact amount, counted in the currency's minor unit (ISO 4217).
 *
 * 10.00 USD is `{ minor: 1000n, currency: 'usd' }`. 10 JPY is `{ minor: 10n, currency: 'jpy' }`:
 * the yen has no smaller coin. Negative amounts are credits.
 *
 * There is no `divide`. Dividing money loses pennies; {@link allocate} shares them out instead.
 */
export interface Money {
  readonly minor: bigint
  readonly currency: Currency
}

export function money(minor: bigint, currency: Currency): Money {
  return { minor, currency }
}

export function zero(currency: Currency): Money {
  return { minor: 0n, currency }
}

export function add(a: Money, b: Money): Money {
  assert(a.currency === b.currency)
  return { minor: a.minor + b.minor, currency: a.currency }
}

export function subtract(a: Money, b: Money): Money {
  return add(a, negate(b))
}

export function negate({ minor, currency }: Money): Money {
  return { minor: -minor, currency }
}

/** The sum of a list that may be empty, hence the currency. */
export function sum(currency: Currency, list: readonly Money[]): Money {
  return list.reduce(add, zero(currency))
}

/**
 * Splits `total` in proportion to `weights`. The shares always sum to `total`: pennies that do not
 * divide go one each to the earliest shares, so 10.00 over three equal weights is 3.34, 3.33, 3.33.
 */
export function allocate<const W extends readonly bigint[]>(total: Money, weights: W): Shares<W> {
  const whole = weights.reduce((sum, weight) => sum + weight, 0n)
  assert(whole > 0n)
  assert(weights.every((weight) => weight >= 0n))

  const floors = weights.map((weight) => (total.minor * weight) / whole)
  let leftover = floors.reduce((left, share) => left - share, total.minor)

  // BigInt division truncates towards zero, so the leftover has the sign of the total. There are
  // fewer pennies left than weights above zero: one pass hands out all of them.
  const penny = leftover < 0n ? -1n : 1n
  const shares = floors.map((floor, i) => {
    const extra = leftover !== 0n && weights[i] !== 0n ? penny : 0n
    leftover -= extra
    return { minor: floor + extra, currency: total.currency }
  })
  return shares as Shares<W>
}

/** One share for each weight: two weights give a pair, not a list of unknown length. */
type Shares<W> = { -readonly [I in keyof W]: Money }

/**
 * The price of one unit, in 1e-12 of the minor unit. Rates may be finer than a cent (0.0004 USD per
 * token); money may not. 1e-12 holds every value of Stripe's `unit_amount_decimal`.
 */
export interface Rate {
  readonly picos: bigint
  readonly currency: Currency
}

const PICO_DIGITS = 12
export const PICOS_PER_MINOR = 1_000_000_000_000n

/**
 * An amount before rounding, in 1e-21 of the minor unit (a rate's picos times a quantity's nanos).
 * The tiers of one line are added up here, where nothing is lost.
 */
export interface ExactAmount {
  readonly scaled: bigint
  readonly currency: Currency
}

const SCALED_DIGITS = 21
const SCALED_PER_MINOR = PICOS_PER_MINOR * NANOS_PER_UNIT

export function extend(rate: Rate, quantity: Quantity): ExactAmount {
  return { scaled: rate.picos * quantity, currency: rate.currency }
}

export function exactOf({ minor, currency }: Money): ExactAmount {
  return { scaled: minor * SCALED_PER_MINOR, currency }
}

export function addExact(a: ExactAmount, b: ExactAmount): ExactAmount {
  assert(a.currency === b.currency)
  return { scaled: a.scaled + b.scaled, currency: a.currency }
}

/** The only place where a rate becomes money, and so the only one that rounds: once per line, half away from zero. */
export function round({ scaled, currency }: ExactAmount): Money {
  const half = scaled < 0n ? -SCALED_PER_MINOR / 2n : SCALED_PER_MINOR / 2n
  return { minor: (scaled + half) / SCALED_PER_MINOR, currency }
}

// Text is in major units, as people write money: '12.00' of usd is 1200 minor, '12' of jpy is 12.

/** Reads money in major units; undefined where it is finer than the minor unit: `9.001` of usd. */
export function parseMoney(text: string, currency: Currency): Money | undefined {
  const minor = parseDecimal(text, exponentOf(currency))
  return minor === undefined ? undefined : { minor, currency }
}

/** All decimals of the currency: `12.00` usd, `12` jpy, `12.000` kwd. */
export function formatMoney({ minor, currency }: Money): string {
  return formatFixed(minor, exponentOf(currency))
}

/** Reads a price of one unit in major units, `0.0004`; undefined where finer than 1e-12 of the minor unit. */
export function parseRate(text: string, currency: Currency): Rate | undefined {
  const picos = parseDecimal(text, PICO_DIGITS + exponentOf(currency))
  return picos === undefined ? undefined : { picos, currency }
}

/** The shortest exact text in major units: `0.0004`. */
export function formatRate({ picos, currency }: Rate): string {
  return formatDecimal(picos, PICO_DIGITS + exponentOf(currency))
}

/** The shortest exact text in major units: `0.1572554466`. */
export function formatExact({ scaled, currency }: ExactAmount): string {
  return formatDecimal(scaled, SCALED_DIGITS + exponentOf(currency))
}
