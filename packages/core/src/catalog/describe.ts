import type { Addon } from '../addon.ts'
import type { Coupon } from '../coupon.ts'
import { formatDecimal } from '../decimal.ts'
import type { Grant } from '../feature.ts'
import { formatInstant } from '../instant.ts'
import { formatRate, type Rate } from '../money.ts'
import type { Plan } from '../plan.ts'
import type { Price, Tier } from '../price.ts'
import { printedAmount, printedDecimal, printedQuantity } from '../printed-amount.ts'
import type { Quantity } from '../quantity.ts'

/** A thing of the catalogue as a person reads it, field by field: path → text. */
export type Description = ReadonlyMap<string, string>

/** The differences in words, `prices/fee/amount: 9.00 → 1,000.00`; what only one side has is added or removed. */
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
  const text = (value: unknown) => (typeof value === 'number' ? printedDecimal(`${value}`) : `${value}`)
  return new Map(Object.entries(fields).map(([name, value]) => [name, value === null ? 'none' : text(value)]))
}

export function describeCoupon({ reduction, redeemBy, ...coupon }: Coupon): Description {
  const takesOff =
    reduction.kind === 'share'
      ? `${formatDecimal(BigInt(reduction.basisPoints), 2)} %`
      : `${printedAmount(reduction.amount)} ${reduction.amount.currency}`
  return describeFields({
    ...coupon,
    takesOff,
    redeemBy: redeemBy === null ? null : formatInstant(redeemBy),
  })
}

/** Of two versions of a plan. A price that only one of them has is told in one line. */
export function planDifferences(current: Plan, wanted: Plan): string[] {
  return [
    ...differences(describeTerms(current), describeTerms(wanted)),
    ...priceDifferences(current.prices, wanted.prices),
    ...grantDifferences(current.grants, wanted.grants),
  ]
}

/** Of two versions of an add-on, told as a plan's are. */
export function addonDifferences(current: Addon, wanted: Addon): string[] {
  const described = (addon: Addon) =>
    new Map(describeTerms(addon)).set('plans', addon.plans?.join(', ') ?? 'every one that fits')
  return [
    ...differences(described(current), described(wanted)),
    ...priceDifferences(current.prices, wanted.prices),
    ...grantDifferences(current.grants, wanted.grants),
  ]
}

export function priceDifferences(current: readonly Price[], wanted: readonly Price[]): string[] {
  const [before, after] = [byKey(current), byKey(wanted)]
  const both = new Map([...after].filter(([key]) => before.has(key)))
  const gone = [...before].filter(([key]) => !after.has(key))
  const added = [...after].filter(([key]) => !before.has(key))
  return [
    ...[...both].flatMap(([key, price]) => {
      const old = before.get(key) ?? price
      return differences(describePrice(old), describePrice(price)).map((text) => `prices/${key}/${text}`)
    }),
    ...added.map(([key, price]) => `prices/${key}: added, ${summary(price)}`),
    ...gone.map(([key, price]) => `prices/${key}: removed, was ${summary(price)}`),
  ]
}

export function grantDifferences(current: readonly Grant[], wanted: readonly Grant[]): string[] {
  return differences(describeGrants(current), describeGrants(wanted))
}

const printedRate = (rate: Rate): string => printedDecimal(formatRate(rate))

function byKey(prices: readonly Price[]): Map<string, Price> {
  return new Map(prices.map((price) => [price.key, price]))
}

function describeTerms(sold: Plan | Addon): Description {
  const terms = new Map(describeFields(sold))
  // Told by themselves, one by one.
  terms.delete('grants')
  return terms.set('prices', sold.prices.map(({ key }) => key).join(', '))
}

function describeGrants(grants: readonly Grant[]): Description {
  return new Map(grants.map((grant) => [`grants/${grant.feature}`, describeGrant(grant)]))
}

/** `yes`, `up to 5`, `up to 1,000 a period, beyond billed`. */
export function describeGrant(
  grant: Grant,
  quantityText: (quantity: Quantity) => string = printedQuantity,
): string {
  if (grant.kind === 'switch') return 'yes'
  const upTo = grant.upTo === null ? 'without end' : `up to ${quantityText(grant.upTo)}`
  if (grant.kind === 'limit' || grant.upTo === null) return upTo
  return `${upTo} a period, beyond ${grant.beyond}`
}

function summary(price: Price): string {
  const limits = describeLimits(price).map(([name, text]) => `${name} ${text}`)
  if (price.model === 'graduated' || price.model === 'volume') {
    return [`${price.model} with ${price.tiers.length} tiers`, ...limits].join(' ')
  }
  return [price.model, ...describeModel(price).map(([, text]) => text), ...limits].join(' ')
}

function describePrice(price: Price): Description {
  const { name, product, kind, timing, meter, currency, model, groupBy } = price
  const terms = describeFields({ name, product, kind, timing, meter, currency, model })
  const grouped = describeFields(groupBy === undefined ? {} : { groupBy: groupBy.join(', ') })
  return new Map([...terms, ...grouped, ...describeModel(price), ...describeLimits(price)])
}

function describeLimits({ included, maximum, collectFrom }: Price): [path: string, text: string][] {
  return [
    ...(included === undefined ? [] : [['included', printedQuantity(included)] as [string, string]]),
    ...(maximum === undefined ? [] : [['maximum', printedAmount(maximum)] as [string, string]]),
    ...(collectFrom === undefined ? [] : [['collectFrom', printedAmount(collectFrom)] as [string, string]]),
  ]
}

function describeModel(price: Price): [path: string, text: string][] {
  switch (price.model) {
    case 'flat':
    case 'minimum':
    case 'maximum':
      return [['amount', printedAmount(price.amount)]]
    case 'perUnit':
      return [
        ['unitAmount', printedRate(price.rate)],
        ...Object.entries(price.rates ?? {}).map(([value, rate]): [string, string] => [
          `unitAmounts/${value}`,
          printedRate(rate),
        ]),
      ]
    case 'package':
      return [
        ['amount', printedAmount(price.amount)],
        ['size', printedQuantity(price.size)],
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
    [`tiers/${index}/upTo`, upTo === null ? 'no end' : printedQuantity(upTo)],
    [`tiers/${index}/unitAmount`, printedRate(rate)],
    [`tiers/${index}/flatAmount`, printedAmount(flat)],
  ]
}
