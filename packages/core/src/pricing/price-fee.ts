import type { Currency } from '../money.ts'
import type { PriceModel } from '../price.ts'
import { units } from '../quantity.ts'
import { priceQuantity } from './price-quantity.ts'
import type { Priced } from './priced.ts'
import { tierStep } from './tier-step.ts'

/**
 * Whether nothing is paid for prices although they are flat: a flat price stands there once, whatever the number of others,
 * but where there are no others the number is its own item's, and that may have been set to none at the provider.
 */
export function isNoneOfFlat(prices: readonly Pick<PriceModel, 'model'>[], number: number): boolean {
  return number === 0 && prices.every(({ model }) => model === 'flat')
}

/**
 * What a recurring price costs for a number of it, as Stripe bills it. It is what the same quantity of usage costs, but
 * for two things: a flat price stands there once, whatever the number of others beside it; and of none, tiers cost the flat
 * amount of the first one, graduated or by volume.
 * https://docs.stripe.com/products-prices/pricing-models
 */
export function priceFee(price: PriceModel & { currency: Currency }, number: bigint): Priced {
  if (price.model === 'flat') return priceQuantity(price, units(1n))
  const isTiered = price.model === 'graduated' || price.model === 'volume'
  const [tier] = isTiered ? price.tiers : []
  if (number > 0n || tier === undefined) return priceQuantity(price, units(number))
  const { exact, step } = tierStep({ tier, index: 0, from: 0n, quantity: 0n })
  return { exact, steps: [step] }
}
