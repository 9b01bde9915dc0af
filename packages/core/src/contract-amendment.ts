import { differences, grantDifferences, priceDifferences } from './catalog/describe.ts'
import type { AgreedAddon, Agreement } from './contract.ts'
import { describeDiscount } from './discount.ts'
import { grantFromJson } from './feature.ts'
import { hasNumbers, numberOf, ofAddon } from './item-numbers.ts'
import { isBilledByProvider, priceFromJson } from './price.ts'
import { printedDecimal } from './printed-amount.ts'

/** What becomes of an agreement, and in which words that is told. */
export interface Amendment {
  readonly agreement: Agreement
  /** Empty if nothing becomes different: then there is nothing to agree on anew. */
  readonly changes: readonly string[]
}

/**
 * The successor of an agreement. What is not mentioned stays as it was agreed; an empty list of add-ons, or of numbers, is
 * one without, and a billing cycle without one of usage says that usage is billed with the fees.
 */
export function amend(current: Agreement, changed: Partial<Agreement>): Amendment {
  const { addons = [], itemNumbers, usageCycle: _, ...rest } = { ...current, ...changed }
  const { usageCycle } = changed.billingCycle === undefined ? current : changed
  const agreement: Agreement = {
    ...rest,
    ...(usageCycle !== undefined && { usageCycle }),
    ...(addons.length > 0 && { addons }),
    ...(hasNumbers(itemNumbers) && { itemNumbers }),
  }
  return { agreement, changes: agreementDifferences(current, agreement) }
}

/** Field by field: `quantity: 3 → 5`, `prices/fee/amount: 9.00 → 12.00`. When it begins is no difference. */
export function agreementDifferences(before: Agreement, after: Agreement): string[] {
  const prices = ({ prices: list }: Agreement) => list.map(priceFromJson)
  const grants = ({ features }: Agreement) => features.map(grantFromJson)
  return [
    ...differences(terms(before), terms(after)),
    ...priceDifferences(prices(before), prices(after)),
    ...grantDifferences(grants(before), grants(after)),
    ...addonDifferences(before, after),
    ...numberDifferences(before, after),
    ...differences(discounts(before), discounts(after)),
  ]
}

function terms({
  plan,
  currency,
  billingCycle,
  usageCycle,
  trial,
  quantity,
}: Agreement): Map<string, string> {
  const { interval, intervalCount } = billingCycle
  return new Map([
    ['plan', plan.key],
    ['plan version', `${plan.version}`],
    ['plan name', plan.name],
    ['rolls into', plan.rollsInto ?? 'none'],
    ['currency', currency],
    ['billing cycle', `${intervalCount} ${interval}`],
    ['usage billed', usageCycle ? `${usageCycle.intervalCount} ${usageCycle.interval}` : 'with the fees'],
    ['trial', trial === null ? 'none' : `${trial.days} days, usage ${trial.usage}`],
    ['quantity', printedDecimal(`${quantity}`)],
  ])
}

/** One that only one of them has is told in one line, what became of another field by field. */
function addonDifferences(before: Agreement, after: Agreement): string[] {
  const numbers = ({ addons = [] }: Agreement) =>
    new Map(
      addons.map(({ key, name, quantity }) => [
        `addons/${key}`,
        `${printedDecimal(`${quantity}`)} × ${name}`,
      ]),
    )
  const both = (after.addons ?? []).flatMap((next) => {
    const old = (before.addons ?? []).find(({ key }) => key === next.key)
    return old ? [...addonTerms(old, next)] : []
  })
  return [...differences(numbers(before), numbers(after)), ...both]
}

function addonTerms(old: AgreedAddon, next: AgreedAddon): string[] {
  const version = ({ version }: AgreedAddon) => new Map([['version', `${version}`]])
  return [
    ...differences(version(old), version(next)),
    ...priceDifferences(old.prices.map(priceFromJson), next.prices.map(priceFromJson)),
    ...grantDifferences(old.features.map(grantFromJson), next.features.map(grantFromJson)),
  ].map((text) => `addons/${next.key}/${text}`)
}

/** How many of a price are paid for: `prices/care/number: 1 → 2`, `addons/pair/prices/other/number: 1 → none`. */
function numberDifferences(before: Agreement, after: Agreement): string[] {
  const named = [before, after].flatMap(({ itemNumbers = {} }) => Object.keys(itemNumbers))
  return [...new Set(named)].flatMap((key) => {
    const [old, next] = [numberOfPrice(before, key), numberOfPrice(after, key)]
    // One that is agreed on anew, or no more, is told of as that.
    return old === undefined || next === undefined ? [] : differences(new Map([old]), new Map([next]))
  })
}

/** Where it stands, and how many there are of it; undefined of a price that is not agreed on. */
function numberOfPrice(agreement: Agreement, named: string): [string, string] | undefined {
  const [first = '', second] = named.split('.')
  const addon = agreement.addons?.find(({ key }) => key === first)
  const { prices, quantity } = second === undefined ? agreement : (addon ?? { prices: [], quantity: 0 })
  const key = second ?? first
  const price = prices.find((one) => one.key === key)
  if (price === undefined) return undefined
  const { itemNumbers = {} } = agreement
  const own = second === undefined ? itemNumbers : ofAddon(first, itemNumbers)
  const number = numberOf(price, prices.filter(isBilledByProvider), quantity, own)
  const path = second === undefined ? `prices/${key}` : `addons/${first}/prices/${key}`
  return [`${path}/number`, number === null ? 'none' : printedDecimal(`${number}`)]
}

/** Two of one name are told apart by their place in the list. */
function discounts(agreement: Agreement): Map<string, string> {
  const seen = new Map<string, number>()
  return new Map(
    agreement.discounts.map((discount) => {
      const count = (seen.get(discount.name) ?? 0) + 1
      seen.set(discount.name, count)
      const path = `discounts/${discount.name}${count === 1 ? '' : `/${count}`}`
      return [path, describeDiscount(discount)]
    }),
  )
}
