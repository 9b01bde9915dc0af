import { exactOf, formatExact, type Money } from '../money.ts'
import { formatQuantity, type Quantity } from '../quantity.ts'
import type { Priced } from './priced.ts'

/** The same amount however much was used, and nothing if nothing was. */
export function priceFlat({ amount }: { amount: Money }, quantity: Quantity): Priced {
  const exact = exactOf(quantity === 0n ? { ...amount, minor: 0n } : amount)
  return {
    exact,
    steps: [{ kind: 'flat', quantity: formatQuantity(quantity), amount: formatExact(exact) }],
  }
}
