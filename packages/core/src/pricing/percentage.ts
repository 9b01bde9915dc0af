import { formatDecimal } from '../decimal.ts'
import { type Currency, exactOf, formatExact, type Money, sum } from '../money.ts'
import { NANOS_PER_UNIT } from '../quantity.ts'
import type { Priced } from './priced.ts'

/** What a share is taken of: another line by its key, or the recurring fee (null). */
export interface ShareBase {
  readonly key: string | null
  readonly words?: string
  readonly amount: Money
}

/** A percentage has two decimals fewer than the share of one that it stands for. */
const PERCENT_DIGITS = 10

/**
 * A percentage of other amounts, which count as they stand on the invoice, rounded: so it can be
 * checked from the invoice alone. The product is exact and rounded once, like any line.
 */
export function priceShare(picos: bigint, of: readonly ShareBase[], currency: Currency): Priced {
  const base = sum(
    currency,
    of.map(({ amount }) => amount),
  )
  // Minor units × 1e-12 is 1e-12 of the minor unit; an exact amount counts 1e-21.
  const exact = { scaled: base.minor * picos * NANOS_PER_UNIT, currency }
  return {
    exact,
    steps: [
      {
        kind: 'share',
        of: of.map((line) => ({ ...line, amount: formatExact(exactOf(line.amount)) })),
        base: formatExact(exactOf(base)),
        percent: formatDecimal(picos, PERCENT_DIGITS),
        amount: formatExact(exact),
      },
    ],
  }
}
