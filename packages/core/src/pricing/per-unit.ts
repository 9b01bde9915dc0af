import { extend, formatExact, formatRate, type Rate } from '../money.ts'
import { formatQuantity, type Quantity } from '../quantity.ts'
import type { Priced } from './priced.ts'

export function pricePerUnit({ rate }: { rate: Rate }, quantity: Quantity): Priced {
  const exact = extend(rate, quantity)
  return {
    exact,
    steps: [
      {
        kind: 'perUnit',
        quantity: formatQuantity(quantity),
        rate: formatRate(rate),
        amount: formatExact(exact),
      },
    ],
  }
}
