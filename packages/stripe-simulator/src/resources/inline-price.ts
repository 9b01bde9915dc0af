import { invalid, StripeError } from '../errors.ts'
import type { PriceRow } from '../rows.ts'
import type { World } from '../world.ts'
import { createPrice } from './make-price.ts'
import type { PriceParams } from './price-fields.ts'

/** A price that is made for what stands at `at` and nothing else. What is wrong with it is named by its place there. */
export function inlinePrice(
  world: World,
  data: Omit<PriceParams, 'active' | 'lookup_key'>,
  at: string,
): PriceRow {
  try {
    return createPrice(world, { ...data, currency: data.currency.toLowerCase(), active: false }, true)
  } catch (error) {
    if (!(error instanceof StripeError) || error.body.param === undefined) throw error
    const { message, param, code } = error.body
    // `recurring[interval_count]` is `items[0][price_data][recurring][interval_count]`.
    throw invalid(message, `${at}[price_data]${param.replace(/^[^[]+/, '[$&]')}`, code)
  }
}
