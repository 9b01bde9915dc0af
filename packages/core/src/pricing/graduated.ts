import type { Step } from '../derivation.ts'
import { addExact, type Currency, type ExactAmount } from '../money.ts'
import type { Tier } from '../price.ts'
import type { Quantity } from '../quantity.ts'
import type { Priced } from './priced.ts'
import { tierStep } from './tier-step.ts'

/**
 * Each unit at the rate of its own tier, plus the flat amount of every tier entered. A quantity of
 * 0 enters none: no usage, no flat fee. (Stripe is said to charge the first tier's flat amount then;
 * what we rate is ours to say, and a customer who used nothing expects to pay nothing.)
 */
export function priceGraduated(tiers: readonly Tier[], quantity: Quantity, currency: Currency): Priced {
  let exact: ExactAmount = { scaled: 0n, currency }
  const steps: Step[] = []
  let from = 0n
  for (const [index, tier] of tiers.entries()) {
    if (quantity <= from) break
    const end = tier.upTo === null || quantity < tier.upTo ? quantity : tier.upTo
    const part = tierStep({ tier, index, from, quantity: end - from })
    exact = addExact(exact, part.exact)
    steps.push(part.step)
    from = end
  }
  return { exact, steps }
}
