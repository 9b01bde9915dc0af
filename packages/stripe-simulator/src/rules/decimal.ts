/** Twelve decimal places, Stripe's finest unit amount: 1e-12 of the minor unit is 1n. */
const PLACES = 12
export const PICOS = 10n ** BigInt(PLACES)

/** `"0.05"` is 50_000_000_000n. The schema has already refused other texts. */
export function parseDecimal(text: string): bigint {
  const negative = text.startsWith('-')
  const [whole = '0', fraction = ''] = (negative ? text.slice(1) : text).split('.')
  const picos = BigInt(whole) * PICOS + BigInt(fraction.padEnd(PLACES, '0'))
  return negative ? -picos : picos
}

/** Plain text without trailing zeros, the way Stripe answers: `"0.05"`, `"1000"`. */
export function formatDecimal(picos: bigint): string {
  const size = picos < 0n ? -picos : picos
  const fraction = (size % PICOS).toString().padStart(PLACES, '0').replace(/0+$/, '')
  return `${picos < 0n ? '-' : ''}${size / PICOS}${fraction === '' ? '' : `.${fraction}`}`
}

/**
 * `numerator / denominator` to the nearest whole number. An exact half goes away from zero: Stripe does
 * not document it, see README, "decided".
 */
export function divideRounded(numerator: bigint, denominator: bigint): bigint {
  const negative = numerator < 0n !== denominator < 0n
  const n = numerator < 0n ? -numerator : numerator
  const d = denominator < 0n ? -denominator : denominator
  const rounded = (2n * n + d) / (2n * d)
  return negative ? -rounded : rounded
}

/** Rounds picos of the minor unit to the minor unit: the one rounding of a line. */
export function roundPicos(picos: bigint): number {
  return Number(divideRounded(picos, PICOS))
}
