import type { Addon, SoldAddon } from './addon.ts'
import type { Interval } from './billing-cycle.ts'
import { type ItemNumbers, ofAddon } from './item-numbers.ts'
import { formatMoney, type Money, parseMoney, sum } from './money.ts'
import type { Plan } from './plan.ts'
import { isBilledByProvider } from './price.ts'
import { feesOf } from './pricing/price-fee.ts'

/** What a customer saw when they agreed: a second look, never where a price comes from. */
export interface AgreedTerms {
  /** Of one period, before discounts and tax: decimal text in major units. */
  readonly amount?: string | undefined
  readonly interval?: Interval | undefined
  readonly intervalCount?: number | undefined
  readonly product?: string | undefined
}

/** What a subscription runs on, or shall run on. */
export interface Terms {
  readonly plan: Plan
  readonly quantity: number
  readonly addons: readonly SoldAddon[]
  /** How many of a price of the plan or of an add-on stand there, where that is not what the quantity says. */
  readonly itemNumbers?: ItemNumbers
}

/** What all of it comes to in one period, before discounts and tax. */
export function amountOfTerms({ plan, quantity, addons, itemNumbers = {} }: Terms): Money {
  const beside = addons.map(({ addon, quantity: number }) =>
    recurringAmount(addon, number, ofAddon(addon.key, itemNumbers)),
  )
  return sum(plan.currency, [recurringAmount(plan, quantity, itemNumbers), ...beside])
}

/** What the recurring prices of one of them come to in one period, each rounded once as on the invoice. */
export function recurringAmount(
  { prices, currency }: Plan | Addon,
  quantity: number,
  itemNumbers?: ItemNumbers,
): Money {
  return sum(currency, feesOf(prices.filter(isBilledByProvider), quantity, itemNumbers))
}

/** Where the terms that somebody agreed to are not the plan's, by field. */
export function* termsThatDiffer(
  agreed: AgreedTerms,
  terms: Terms,
): Generator<{ readonly field: keyof AgreedTerms; readonly detail: string }> {
  const { plan } = terms
  const amount = amountOfTerms(terms)
  if (agreed.amount !== undefined && parseMoney(agreed.amount, plan.currency)?.minor !== amount.minor) {
    const sold = [plan.key, ...terms.addons.map(({ addon }) => addon.key)].join(' with ')
    const detail = `${sold} costs ${formatMoney(amount)} ${plan.currency} a period, not ${agreed.amount}.`
    yield { field: 'amount', detail }
  }
  for (const field of ['interval', 'intervalCount', 'product'] as const) {
    const said = agreed[field]
    if (said !== undefined && said !== plan[field])
      yield { field, detail: `The ${field} of ${plan.key} is ${plan[field]}, not ${said}.` }
  }
}
