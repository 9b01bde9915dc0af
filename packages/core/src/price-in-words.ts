import { formatDecimal } from './decimal.ts'
import { formatRate, PICOS_PER_MINOR, type Rate } from './money.ts'
import { type Price, type PriceJson, priceFromJson, type Tier } from './price.ts'
import { printedMoney as amount, printedQuantity as number, printedDecimal } from './printed-amount.ts'

/** With the coins of its currency at least: 2.00, and 0.0025 where it is finer. */
function rateText({ picos, currency }: Rate): string {
  if (picos % PICOS_PER_MINOR === 0n) return amount({ minor: picos / PICOS_PER_MINOR, currency })
  return `${printedDecimal(formatRate({ picos, currency }))} ${currency.toUpperCase()}`
}

/**
 * What a price costs, in the words of a contract, a line each: `20.00 USD`; `0.40 USD for each package
 * of 1,000,000, begun ones count`.
 */
export function priceInWords(json: PriceJson): string[] {
  const price = priceFromJson(json)
  const { included, maximum, collectFrom } = price
  return [
    ...modelInWords(price),
    ...(included === undefined ? [] : [`the first ${number(included)} of a period are included`]),
    ...(price.groupBy === undefined ? [] : [`each ${price.groupBy.join(' and ')} by itself`]),
    ...(maximum === undefined ? [] : [`at most ${amount(maximum)} a period`]),
    ...(collectFrom === undefined
      ? []
      : [`an invoice of less than ${amount(collectFrom)} is carried to the next one`]),
  ]
}

function modelInWords(price: Price): string[] {
  switch (price.model) {
    case 'flat':
      return [amount(price.amount)]
    case 'perUnit':
      return [
        `${rateText(price.rate)} ${eachOf(price)}`,
        ...Object.entries(price.rates ?? {}).map(([value, rate]) => `of ${value}: ${rateText(rate)}`),
      ]
    case 'package':
      return [
        `${amount(price.amount)} for each package of ${number(price.size)}, ${price.round === 'up' ? 'begun ones count' : 'full ones only'}`,
      ]
    case 'graduated':
      return ['each unit by its own tier:', ...tiersInWords(price.tiers)]
    case 'volume':
      return ['all units by the tier that is reached:', ...tiersInWords(price.tiers)]
    case 'minimum':
      return [`at least ${amount(price.amount)} a period for usage`]
    case 'maximum':
      return [`at most ${amount(price.amount)} a period for usage`]
    case 'percentage':
      return [`${formatDecimal(price.picos, 10)} % of the other lines`]
  }
}

function eachOf({ meter }: Price): string {
  return meter === null ? 'each' : `for each unit of ${meter}`
}

function tiersInWords(tiers: readonly Tier[]): string[] {
  return tiers.map(({ upTo, rate, flat }) => {
    const reach = upTo === null ? 'beyond' : `up to ${number(upTo)}`
    const once = flat.minor === 0n ? '' : `, and ${amount(flat)} once`
    return `${reach}: ${rateText(rate)} each${once}`
  })
}
