import { formatDecimal } from '@lockstep/core/decimal'
import { formatRate, type Rate } from '@lockstep/core/money'
import type { Price, Tier } from '@lockstep/core/price'
import { formatQuantity } from '@lockstep/core/quantity'
import { moneyToApi } from '../money-to-api.ts'

/** A share is kept in 1e-12 of one; a percentage has two decimals fewer. */
const PERCENT_DIGITS = 10

/** A price as the contract shows it: amounts as money, prices of one unit as decimal text. */
export function priceToApi(price: Price) {
  const { key, name, product, currency, kind, timing, meter, groupBy } = price
  const terms = {
    ...{ key, name, product, currency, kind, timing, meter },
    ...(groupBy && { groupBy: [...groupBy] }),
    ...limitsToApi(price),
  }
  switch (price.model) {
    case 'flat':
    case 'minimum':
    case 'maximum':
      return { ...terms, model: price.model, amount: moneyToApi(price.amount) }
    case 'perUnit':
      return {
        ...{ ...terms, model: price.model, unitAmount: formatRate(price.rate) },
        ...(price.rates && { unitAmounts: ratesToApi(price.rates) }),
      }
    case 'package': {
      const { model, amount, size, round } = price
      return { ...terms, model, amount: moneyToApi(amount), size: formatQuantity(size), round }
    }
    case 'graduated':
    case 'volume':
      return { ...terms, model: price.model, tiers: price.tiers.map(tierToApi) }
    case 'percentage':
      return { ...terms, model: price.model, percent: formatDecimal(price.picos, PERCENT_DIGITS) }
  }
}

function limitsToApi({ included, maximum, collectFrom }: Price) {
  return {
    ...(included !== undefined && { included: formatQuantity(included) }),
    ...(maximum !== undefined && { maximum: moneyToApi(maximum) }),
    ...(collectFrom !== undefined && { collectFrom: moneyToApi(collectFrom) }),
  }
}

function ratesToApi(rates: Readonly<Record<string, Rate>>): Record<string, string> {
  return Object.fromEntries(Object.entries(rates).map(([value, rate]) => [value, formatRate(rate)]))
}

function tierToApi({ upTo, rate, flat }: Tier) {
  return {
    upTo: upTo === null ? null : formatQuantity(upTo),
    unitAmount: formatRate(rate),
    flatAmount: moneyToApi(flat),
  }
}
