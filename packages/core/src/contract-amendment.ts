import { differences, grantDifferences, priceDifferences } from './catalog/describe.ts'
import type { Agreement } from './contract.ts'
import { describeDiscount } from './discount.ts'
import { grantFromJson } from './feature.ts'
import { priceFromJson } from './price.ts'

/** What becomes of an agreement, and in which words that is told. */
export interface Amendment {
  readonly agreement: Agreement
  /** Empty if nothing becomes different: then there is nothing to agree on anew. */
  readonly changes: readonly string[]
}

/** The successor of an agreement. What is not mentioned stays as it was agreed. */
export function amend(current: Agreement, changed: Partial<Agreement>): Amendment {
  const agreement = { ...current, ...changed }
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
    ...differences(discounts(before), discounts(after)),
  ]
}

function terms({ plan, currency, billingCycle, trial, quantity }: Agreement): Map<string, string> {
  const { interval, intervalCount } = billingCycle
  return new Map([
    ['plan', plan.key],
    ['plan version', `${plan.version}`],
    ['plan name', plan.name],
    ['rolls into', plan.rollsInto ?? 'none'],
    ['currency', currency],
    ['billing cycle', `${intervalCount} ${interval}`],
    ['trial', trial === null ? 'none' : `${trial.days} days, usage ${trial.usage}`],
    ['quantity', `${quantity}`],
  ])
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
