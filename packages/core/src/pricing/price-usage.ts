import type { Step } from '../derivation.ts'
import { addExact, type ExactAmount, exactOf, formatExact, type Money } from '../money.ts'
import type { Price } from '../price.ts'
import { formatQuantity, type Quantity } from '../quantity.ts'
import { priceQuantity } from './price-quantity.ts'
import type { Priced } from './priced.ts'

/**
 * What a period's quantity costs, exactly: its included units cost nothing, the model prices the rest as
 * though it were all, and beyond the maximum nothing is added. A part of a period has all of both, as it
 * has all of a tier: they are promises of how much, not of how long.
 */
export function priceUsage(price: Price, quantity: Quantity): Priced {
  const { included, maximum } = price
  if (included === undefined) return atMost(maximum, priceQuantity(price, quantity))
  const billable = quantity > included ? quantity - included : 0n
  const step: Step = {
    kind: 'included',
    quantity: formatQuantity(quantity),
    included: formatQuantity(included),
    billable: formatQuantity(billable),
    amount: '0',
  }
  const { exact, steps } = priceQuantity(price, billable)
  return atMost(maximum, { exact, steps: [step, ...steps] })
}

/** Cut before rounding: a maximum is whole money, so what is cut down to it stays exactly that. */
function atMost(maximum: Money | undefined, priced: Priced): Priced {
  if (maximum === undefined) return priced
  const [most, { exact }] = [exactOf(maximum), priced]
  if (exact.scaled <= most.scaled) return priced
  const beyond: ExactAmount = { scaled: most.scaled - exact.scaled, currency: most.currency }
  const step: Step = {
    kind: 'maximum',
    before: formatExact(exact),
    maximum: formatExact(most),
    amount: formatExact(beyond),
  }
  return { exact: addExact(exact, beyond), steps: [...priced.steps, step] }
}
