import { isPricedIn, rhythmOf } from '../billing/periods.ts'
import { invalid } from '../errors.ts'
import type { PriceRow } from '../rows.ts'
import { sameRhythm } from '../rules/billing-cycle.ts'

/**
 * The one currency of a subscription: the one asked for, else the customer's, else that of its prices. A
 * price serves every currency that it has an option for, and a customer keeps the currency billed first.
 * https://docs.stripe.com/products-prices/pricing-models#multicurrency
 */
export function currencyOf(prices: readonly PriceRow[], locked: string | null, asked?: string): string {
  if (asked !== undefined && locked !== null && locked !== asked) throw mixed(locked, 'currency')
  const wanted = asked ?? locked
  if (wanted !== null && prices.every((price) => isPricedIn(price, wanted))) return wanted
  if (asked !== undefined) {
    throw invalid(
      `One of the prices has no amount in ${asked}: add it to its \`currency_options\`.`,
      'currency',
    )
  }
  const [first] = prices
  if (first === undefined || !prices.every((price) => isPricedIn(price, first.currency))) {
    throw invalid('All prices on a subscription must have the same currency.', 'items')
  }
  if (locked !== null) throw mixed(locked, 'items')
  return first.currency
}

function mixed(locked: string, param: string) {
  return invalid(
    `You cannot combine currencies on a single customer. This customer has an active subscription, subscription schedule, discount, quote, or invoice item with currency ${locked}`,
    param,
  )
}

/** Classic subscriptions have one rhythm. https://docs.stripe.com/billing/subscriptions/billing-mode/compare */
export function refuseMixed(prices: readonly PriceRow[]): void {
  const [first, ...others] = prices
  if (first === undefined || others.every((price) => sameRhythm(rhythmOf(first), rhythmOf(price)))) return
  throw invalid(
    'All prices on a subscription must have the same `recurring.interval` and `recurring.interval_count`, unless it uses flexible billing.',
    'items',
  )
}
