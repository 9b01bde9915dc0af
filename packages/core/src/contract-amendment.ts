import { differences, grantDifferences, priceDifferences } from './catalog/describe.ts'
import type { AgreedAddon, Agreement } from './contract.ts'
import { describeDiscount } from './discount.ts'
import { grantFromJson } from './feature.ts'
import { type FlatNumbers, hasNumbers } from './flat-numbers.ts'
import { priceFromJson } from './price.ts'

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
  const { addons = [], flatNumbers, usageCycle: _, ...rest } = { ...current, ...changed }
  const { usageCycle } = changed.billingCycle === undefined ? current : changed
  const agreement: Agreement = {
    ...rest,
    ...(usageCycle !== undefined && { usageCycle }),
    ...(addons.length > 0 && { addons }),
    ...(hasNumbers(flatNumbers) && { flatNumbers }),
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
    ['quantity', `${quantity}`],
  ])
}

/** One that only one of them has is told in one line, what became of another field by field. */
function addonDifferences(before: Agreement, after: Agreement): string[] {
  const numbers = ({ addons = [] }: Agreement) =>
    new Map(addons.map(({ key, name, quantity }) => [`addons/${key}`, `${quantity} × ${name}`]))
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

/** How often flat prices are paid: `prices/care/number: 1 → 2`, `addons/pair/prices/other/number: 1 → 3`. */
function numberDifferences({ flatNumbers: before = {} }: Agreement, { flatNumbers: after = {} }: Agreement) {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  const numbers = (of: FlatNumbers) =>
    new Map(keys.map((key) => [`${pathOfNumber(key)}/number`, `${of[key] ?? 1}`]))
  return differences(numbers(before), numbers(after))
}

function pathOfNumber(key: string): string {
  const [addon, price] = key.split('.')
  return price === undefined ? `prices/${key}` : `addons/${addon}/prices/${price}`
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
