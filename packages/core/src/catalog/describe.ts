import { formatDecimal } from '../decimal.ts'
import { formatMoney, formatRate } from '../money.ts'
import type { Plan } from '../plan.ts'
import type { Price, Tier } from '../price.ts'
import { formatQuantity } from '../quantity.ts'

/** A thing of the catalogue as a person would write it, field by field: path → text. */
export type Description = ReadonlyMap<string, string>

/** The differences in words, `prices/fee/amount: 9.00 → 10.00`; what only one side has in one line. */
export function differences(current: Description, wanted: Description): string[] {
  const paths = new Set([...wanted.keys(), ...current.keys()])
  return [...paths].flatMap((path) => {
    const [before, after] = [current.get(path), wanted.get(path)]
    if (before === after) return []
    if (before === undefined) return [`${path}: added, ${after}`]
    if (after === undefined) return [`${path}: removed, was ${before}`]
    return [`${path}: ${before} → ${after}`]
  })
}

export function describeFields(fields: object): Map<string, string> {
  return new Map(Object.entries(fields).map(([name, value]) => [name, value === null ? 'none' : `${value}`]))
}

export function describePlan({ prices, ...terms }: Plan): Description {
  const description = describeFields(terms)
  description.set('prices', prices.map(({ key }) => key).join(', '))
  for (const price of prices) {
    for (const [path, text] of describePrice(price)) description.set(`prices/${price.key}/${path}`, text)
  }
  return description
}

function describePrice(price: Price): [path: string, text: string][] {
  const { name, product, kind, timing, meter, model } = price
  return [...describeFields({ name, product, kind, timing, meter, model }), ...describeModel(price)]
}

function describeModel(price: Price): [path: string, text: string][] {
  switch (price.model) {
    case 'flat':
      return [['amount', formatMoney(price.amount)]]
    case 'perUnit':
      return [['unitAmount', formatRate(price.rate)]]
    case 'package':
      return [
        ['amount', formatMoney(price.amount)],
        ['size', formatQuantity(price.size)],
        ['round', price.round],
      ]
    case 'graduated':
    case 'volume':
      return price.tiers.flatMap(describeTier)
    case 'percentage':
      return [['percent', formatDecimal(price.picos, 10)]]
  }
}

function describeTier({ upTo, rate, flat }: Tier, index: number): [path: string, text: string][] {
  return [
    [`tiers/${index}/upTo`, upTo === null ? 'no end' : formatQuantity(upTo)],
    [`tiers/${index}/unitAmount`, formatRate(rate)],
    [`tiers/${index}/flatAmount`, formatMoney(flat)],
  ]
}
