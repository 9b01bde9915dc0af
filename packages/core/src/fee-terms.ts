import { PICOS_PER_MINOR } from './money.ts'
import type { PriceModel } from './price.ts'

/**
 * What decides the amount of a recurring price, as text: two with the same terms cost the same, in one currency and
 * rhythm. A flat fee is what one unit costs, for it is sold once. Undefined of what is no fee.
 */
export function feeTerms(price: PriceModel): string | undefined {
  switch (price.model) {
    case 'flat':
      return `perUnit ${price.amount.minor * PICOS_PER_MINOR}`
    case 'perUnit':
      return `perUnit ${price.rate.picos}`
    case 'package':
      return `package ${price.amount.minor} ${price.size} ${price.round}`
    case 'graduated':
    case 'volume':
      return [
        price.model,
        ...price.tiers.map(({ upTo, rate, flat }) => `${upTo ?? 'inf'}:${rate.picos}:${flat.minor}`),
      ].join(' ')
    case 'percentage':
    case 'minimum':
    case 'maximum':
      return undefined
  }
}
