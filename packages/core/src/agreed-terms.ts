import type { Interval } from './billing-cycle.ts'
import { formatMoney, type Money, parseMoney, round, sum } from './money.ts'
import type { Plan } from './plan.ts'
import { isBilledByProvider } from './price.ts'
import { priceQuantity } from './pricing/price-quantity.ts'
import { units } from './quantity.ts'

/** What a customer saw when they agreed: a second look, never where a price comes from. */
export interface AgreedTerms {
  /** Of one period, before discounts and tax: decimal text in major units. */
  readonly amount?: string | undefined
  readonly interval?: Interval | undefined
  readonly intervalCount?: number | undefined
  readonly product?: string | undefined
}

/** What the recurring prices of a plan come to in one period, each rounded once as on the invoice. */
export function recurringAmount({ prices, currency }: Plan, quantity: number): Money {
  const amounts = prices
    .filter(isBilledByProvider)
    .map((price) => round(priceQuantity(price, units(BigInt(quantity))).exact))
  return sum(currency, amounts)
}

/** Where the terms that somebody agreed to are not the plan's, by field. */
export function* termsThatDiffer(
  agreed: AgreedTerms,
  plan: Plan,
  quantity: number,
): Generator<{ readonly field: keyof AgreedTerms; readonly detail: string }> {
  const amount = recurringAmount(plan, quantity)
  if (agreed.amount !== undefined && parseMoney(agreed.amount, plan.currency)?.minor !== amount.minor) {
    const detail = `${plan.key} costs ${formatMoney(amount)} ${plan.currency} a period, not ${agreed.amount}.`
    yield { field: 'amount', detail }
  }
  for (const field of ['interval', 'intervalCount', 'product'] as const) {
    const said = agreed[field]
    if (said !== undefined && said !== plan[field])
      yield { field, detail: `The ${field} of ${plan.key} is ${plan[field]}, not ${said}.` }
  }
}
