import { assert } from '../assert.ts'
import type { Currency } from '../money.ts'
import type { Tier } from '../price.ts'
import type { Quantity } from '../quantity.ts'
import type { Priced } from './priced.ts'
import { tierStep } from './tier-step.ts'

/**
 * All units at the rate of the tier that the quantity reaches, plus that tier's flat amount. Going
 * over an edge can make the whole cheaper; that is the model. A quantity of 0 reaches no tier.
 */
export function priceVolume(tiers: readonly Tier[], quantity: Quantity, currency: Currency): Priced {
  if (quantity === 0n) return { exact: { scaled: 0n, currency }, steps: [] }
  const index = tiers.findIndex(({ upTo }) => upTo === null || quantity <= upTo)
  const tier = tiers[index]
  assert(tier, 'the last tier is open')
  const { exact, step } = tierStep({ tier, index, from: tiers[index - 1]?.upTo ?? 0n, quantity })
  return { exact, steps: [step] }
}
