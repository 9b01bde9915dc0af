import type Stripe from 'stripe'
import type { ItemContent } from '../../store/invoice-items.ts'

/** What an item costs, for a call that makes it. A price cannot be negative, so a credit names no product. */
export function pricing({
  amount,
  currency,
  product,
  discountable,
}: ItemContent): Pick<Stripe.InvoiceItemCreateParams, 'amount' | 'currency' | 'price_data' | 'discountable'> {
  const value = Number(amount)
  return product === null
    ? { amount: value, currency }
    : {
        price_data: { currency, product, unit_amount: value },
        ...(discountable !== undefined && { discountable }),
      }
}

/** An item keeps its currency for life, so a change does not name it. */
export function repricing(
  item: ItemContent,
): Pick<Stripe.InvoiceItemUpdateParams, 'amount' | 'price_data' | 'discountable'> {
  const { amount, price_data } = pricing(item)
  // Stripe decides it when an item is made: a credit is not discounted, and stays so when it becomes none.
  const discountable = item.discountable ?? !item.amount.startsWith('-')
  return price_data ? { price_data, discountable } : { amount: amount ?? 0, discountable }
}

export function wording({ description, periodStart, periodEnd }: ItemContent) {
  return { description, period: { start: periodStart, end: periodEnd } }
}
