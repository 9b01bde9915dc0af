import { type ItemNumbers, numberOf } from '../item-numbers.ts'
import { type Currency, type Money, PICOS_PER_MINOR, round, zero } from '../money.ts'
import type { PriceModel } from '../price.ts'
import { units } from '../quantity.ts'
import { priceQuantity } from './price-quantity.ts'
import type { Priced } from './priced.ts'
import { tierStep } from './tier-step.ts'

/**
 * What a recurring price costs for a number of it, as Stripe bills it. It is what the same quantity of usage costs, but
 * for two things: a flat amount is due for each; and of none, tiers cost the flat amount of the first one, graduated or by
 * volume. https://docs.stripe.com/products-prices/pricing-models
 */
export function priceFee(price: PriceModel & { currency: Currency }, number: bigint): Priced {
  if (price.model === 'flat' && number > 1n) return priceQuantity(eachOf(price), units(number))
  const isTiered = price.model === 'graduated' || price.model === 'volume'
  const [tier] = isTiered ? price.tiers : []
  if (number > 0n || tier === undefined) return priceQuantity(price, units(number))
  const { exact, step } = tierStep({ tier, index: 0, from: 0n, quantity: 0n })
  return { exact, steps: [step] }
}

/** What prices that are sold together come to for a number of them, each rounded once as on the invoice. Nothing of one without an item. */
export function feesOf(
  together: readonly (PriceModel & { key: string; currency: Currency })[],
  number: number,
  itemNumbers?: ItemNumbers,
): Money[] {
  return together.map((price) => {
    const standing = numberOf(price, together, number, itemNumbers)
    return standing === null ? zero(price.currency) : round(priceFee(price, BigInt(standing)).exact)
  })
}

/** Several of a flat price are so many units at its amount. */
function eachOf({ amount, currency }: { readonly amount: Money; readonly currency: Currency }) {
  const rate = { picos: amount.minor * PICOS_PER_MINOR, currency }
  return { model: 'perUnit', rate, currency } as const
}
