import { type Price, priceToJson } from '@lockstep/core/price'
import { newId } from '../ids.ts'
import type { NewRow } from './schema.ts'

/** The rows of new prices, in their order. */
export function priceRows(
  prices: readonly Price[],
  of: Pick<NewRow<'price'>, 'planVersionId' | 'addonVersionId'>,
): NewRow<'price'>[] {
  return prices.map((price, position) => ({
    ...of,
    id: newId('price'),
    key: price.key,
    position,
    productKey: price.product,
    meterKey: price.meter,
    currency: price.currency,
    kind: price.kind,
    timing: price.timing,
    model: price.model,
    definition: JSON.stringify(priceToJson(price)),
  }))
}
