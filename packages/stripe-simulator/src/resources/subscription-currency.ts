import { currenciesOf, isPricedIn, rhythmOf } from '../billing/periods.ts'
import { invalid, type StripeError } from '../errors.ts'
import type { PriceRow, SubscriptionRow } from '../rows.ts'
import { areAligned, sameRhythm } from '../rules/billing-cycle.ts'

/**
 * The one currency of a subscription: the one asked for, else the customer's, else that of its prices. A
 * price serves every currency that it has an option for, and a customer keeps the currency billed first.
 * https://docs.stripe.com/products-prices/pricing-models#multicurrency
 */
export function currencyOf(
  prices: readonly PriceRow[],
  locked: string | null,
  asked?: string,
  named: (param: 'currency' | 'items') => string = (param) => param,
): string {
  if (asked !== undefined && locked !== null && locked !== asked)
    throw mixedCurrencies(locked, named('currency'))
  const wanted = asked ?? locked
  if (wanted !== null && prices.every((price) => isPricedIn(price, wanted))) return wanted
  if (asked !== undefined) {
    throw invalid(
      `One of the prices has no amount in ${asked}: add it to its \`currency_options\`.`,
      named('currency'),
    )
  }
  const [first] = prices
  const other = prices.findIndex((price) => first !== undefined && !isPricedIn(price, first.currency))
  if (first === undefined || other >= 0) {
    throw invalid(
      `This \`price\` has \`currency=${prices[other]?.currency}\`, but other items use \`currency=${first?.currency}\`. All items must have pricing in the same currency. When using multi-currency prices, you can specify \`currency\` at the top level, to be used by all items.`,
      `${named('items')}[${other}][price]`,
    )
  }
  if (locked !== null) throw mixedCurrencies(locked, named('items'))
  return first.currency
}

/** What a running subscription bills is in its currency. */
export function refuseOtherCurrency(price: PriceRow, expected: string, param: string): void {
  if (isPricedIn(price, expected)) return
  const [own, ...others] = currenciesOf(price).map((currency) => `\`${currency}\``)
  throw invalid(
    others.length === 0
      ? `The price specified only supports ${own}. This doesn't match the expected currency: \`${expected}\`.`
      : `The price specified supports currencies of ${[own, ...others].join(', ')} which doesn't include the expected currency of \`${expected}\`.`,
    param,
  )
}

/** A customer, and so everything of one subscription or invoice, is billed in one currency. */
export function mixedCurrencies(locked: string, param: string): StripeError {
  return invalid(
    `You cannot combine currencies on a single customer. This customer has an active subscription, subscription schedule, discount, quote, or invoice item with currency ${locked}`,
    param,
  )
}

/**
 * Classic subscriptions have one rhythm, when they begin and whatever is changed later. Of a flexible one every interval is a
 * multiple of the shortest. https://docs.stripe.com/billing/subscriptions/mixed-interval#interval-alignment
 */
export function refuseMixed(
  { type }: SubscriptionRow['billing_mode'],
  prices: readonly PriceRow[],
  param = 'items',
): void {
  const [first, ...others] = prices.map(rhythmOf)
  if (first === undefined || others.every((one) => sameRhythm(first, one))) return
  if (type === 'classic') {
    throw invalid(
      'All prices on a subscription must have the same `recurring.interval` and `recurring.interval_count`, unless it uses flexible billing.',
      param,
    )
  }
  if (areAligned([first, ...others])) return
  throw invalid(
    'The interval of every price on a subscription must be a multiple of the shortest of them.',
    param,
  )
}
