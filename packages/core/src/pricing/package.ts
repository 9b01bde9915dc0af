import { assert } from '../assert.ts'
import { exactOf, formatExact, type Money } from '../money.ts'
import { formatQuantity, type Quantity } from '../quantity.ts'
import type { Priced } from './priced.ts'

interface PackageModel {
  readonly amount: Money
  readonly size: Quantity
  readonly round: 'up' | 'down'
}

/** Whole packages only: 2,001 units in packages of 1,000 are three begun (`up`) or two full (`down`). */
export function pricePackage({ amount, size, round }: PackageModel, quantity: Quantity): Priced {
  assert(size > 0n, 'a package holds something')
  const packages = (round === 'up' ? quantity + size - 1n : quantity) / size
  const exact = exactOf({ minor: amount.minor * packages, currency: amount.currency })
  return {
    exact,
    steps: [
      {
        kind: 'package',
        quantity: formatQuantity(quantity),
        size: formatQuantity(size),
        round,
        packages: `${packages}`,
        amountPerPackage: formatExact(exactOf(amount)),
        amount: formatExact(exact),
      },
    ],
  }
}
