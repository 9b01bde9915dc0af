/** Longer than any number of ours; a limit keeps hostile text from costing time. */
const MAX_LENGTH = 64

/**
 * Reads exact decimal text into an integer of 10^-digits: `parseDecimal('0.05', 3)` is `50n`.
 * Plain digits only, as JSON writes them without an exponent: no plus sign, no leading zeros, no
 * spaces, no digits of other scripts. More fraction digits than `digits` are refused, not rounded.
 */
export function parseDecimal(text: string, digits: number): bigint | undefined {
  if (text.length > MAX_LENGTH || !/^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$/.test(text)) return undefined
  const point = text.indexOf('.')
  const fractionDigits = point === -1 ? 0 : text.length - point - 1
  if (fractionDigits > digits) return undefined
  const whole = point === -1 ? text : text.slice(0, point) + text.slice(point + 1)
  return BigInt(whole) * (powersOfTen[digits - fractionDigits] ?? 10n ** BigInt(digits - fractionDigits))
}

const powersOfTen: readonly bigint[] = Array.from({ length: 20 }, (_, zeros) => 10n ** BigInt(zeros))

/** The shortest exact text of an integer of 10^-digits: `formatDecimal(50n, 3)` is `0.05`. */
export function formatDecimal(scaled: bigint, digits: number): string {
  const [whole, fraction] = splitDecimal(scaled, digits)
  const significant = fraction.replace(/0+$/, '')
  return significant === '' ? (whole === '-0' ? '0' : whole) : `${whole}.${significant}`
}

/** The same with all `digits` of the fraction written, as money is: `formatFixed(1200n, 2)` is `12.00`. */
export function formatFixed(scaled: bigint, digits: number): string {
  const [whole, fraction] = splitDecimal(scaled, digits)
  return digits === 0 ? whole : `${whole}.${fraction}`
}

function splitDecimal(scaled: bigint, digits: number): [whole: string, fraction: string] {
  const text = (scaled < 0n ? -scaled : scaled).toString().padStart(digits + 1, '0')
  const split = text.length - digits
  return [(scaled < 0n ? '-' : '') + text.slice(0, split), text.slice(split)]
}
