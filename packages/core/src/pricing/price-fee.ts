import type { FlatNumbers } from '../flat-numbers.ts'
import { type Currency, type Money, PICOS_PER_MINOR, round } from '../money.ts'
import type { PriceModel } from '../price.ts'
import { units } from '../quantity.ts'
import { priceQuantity } from './price-quantity.ts'
import type { Priced } from './priced.ts'
import { tierStep } from './tier-step.ts'

/**
 * How many are paid for of one of the prices that are sold together. A flat one stands there once, whatever the number of
 * the others, unless its own item has another at the provider (`flatNumbers`), which bills the amount as often; where there
 * are no others the number is its item's.
 */
export function numberOf(
  { model, key }: Sold,
  together: readonly Sold[],
  number: number,
  flatNumbers: FlatNumbers = {},
): number {
  return model === 'flat' && together.length > 1 ? (flatNumbers[key] ?? 1) : number
}

type Sold = Pick<PriceModel, 'model'> & { readonly key: string }

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
export function feesOf(
  together: readonly (PriceModel & { key: string; currency: Currency })[],
  number: number,
  flatNumbers?: FlatNumbers,
): Money[] {
  return together.map((price) =>
    round(priceFee(price, BigInt(numberOf(price, together, number, flatNumbers))).exact),
  )
}

/** Several of a flat price are so many units at its amount. */
function eachOf({ amount, currency }: { readonly amount: Money; readonly currency: Currency }) {
  const rate = { picos: amount.minor * PICOS_PER_MINOR, currency }
  return { model: 'perUnit', rate, currency } as const
}
