import { assert } from '../assert.ts'
import type { Currency } from '../money.ts'
import type { PriceModel } from '../price.ts'
import type { Quantity } from '../quantity.ts'
import { priceFlat } from './flat.ts'
import { priceGraduated } from './graduated.ts'
import { pricePackage } from './package.ts'
import { pricePerUnit } from './per-unit.ts'
import type { Priced } from './priced.ts'
import { priceVolume } from './volume.ts'

/** What a quantity costs, exactly. Percentages have no quantity: `priceShare`. */
export function priceQuantity(price: PriceModel & { currency: Currency }, quantity: Quantity): Priced {
  assert(quantity >= 0n, 'a negative quantity is refused where it comes in')
  switch (price.model) {
    case 'flat':
      return priceFlat(price, quantity)
    case 'perUnit':
      return pricePerUnit(price, quantity)
    case 'package':
      return pricePackage(price, quantity)
    case 'graduated':
      return priceGraduated(price.tiers, quantity, price.currency)
    case 'volume':
      return priceVolume(price.tiers, quantity, price.currency)
    case 'percentage':
    case 'minimum':
    case 'maximum':
      throw new Error(`a ${price.model} is made of amounts, not of a quantity`)
  }
}
