import type { Step } from '../derivation.ts'
import { addExact, type ExactAmount, exactOf, extend, formatExact, formatRate } from '../money.ts'
import type { Tier } from '../price.ts'
import { formatQuantity, type Quantity } from '../quantity.ts'

interface InTier {
  readonly tier: Tier
  /** Counted from 0. */
  readonly index: number
  /** The inclusive end of the tier before. */
  readonly from: Quantity
  /** Units priced at this tier's rate. */
  readonly quantity: Quantity
}

/** Quantity times rate plus the flat amount of one tier that was entered or reached. */
export function tierStep({ tier, index, from, quantity }: InTier): { exact: ExactAmount; step: Step } {
  const flat = exactOf(tier.flat)
  const exact = addExact(extend(tier.rate, quantity), flat)
  const step: Step = {
    kind: 'tier',
    tier: index + 1,
    from: formatQuantity(from),
    to: tier.upTo === null ? null : formatQuantity(tier.upTo),
    quantity: formatQuantity(quantity),
    rate: formatRate(tier.rate),
    flat: formatExact(flat),
    amount: formatExact(exact),
  }
  return { exact, step }
}
