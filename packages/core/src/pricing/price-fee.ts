import { type Currency, type Money, PICOS_PER_MINOR, round } from '../money.ts'
import type { PriceModel } from '../price.ts'
import { units } from '../quantity.ts'
import { priceQuantity } from './price-quantity.ts'
import type { Priced } from './priced.ts'
import { tierStep } from './tier-step.ts'

/**
 * How many are paid for of one of the prices that are sold together. A flat one stands there once, whatever the number of
 * the others; where there are no others the number is its own item's, and somebody may have set that to none or to several
 * at the provider, which bills the amount as often.
 */
export function numberOf(
  { model }: Pick<PriceModel, 'model'>,
  together: readonly Pick<PriceModel, 'model'>[],
  number: number,
): number {
  return model === 'flat' && together.some((other) => other.model !== 'flat') ? 1 : number
}

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

/** What prices that are sold together come to for a number of them, each rounded once as on the invoice. */
export function feesOf(together: readonly (PriceModel & { currency: Currency })[], number: number): Money[] {
  return together.map((price) => round(priceFee(price, BigInt(numberOf(price, together, number))).exact))
}

/** Several of a flat price are so many units at its amount. */
function eachOf({ amount, currency }: { readonly amount: Money; readonly currency: Currency }) {
  const rate = { picos: amount.minor * PICOS_PER_MINOR, currency }
  return { model: 'perUnit', rate, currency } as const
}
