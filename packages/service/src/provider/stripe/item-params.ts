import type Stripe from 'stripe'
import type { ItemContent } from '../../store/invoice-items.ts'

/** What an item costs, for a call that makes it. A price cannot be negative, so a credit names no product. */
export function pricing({
  amount,
  currency,
  product,
}: ItemContent): Pick<Stripe.InvoiceItemCreateParams, 'amount' | 'currency' | 'price_data'> {
  const value = Number(amount)
  return product === null
    ? { amount: value, currency }
    : { price_data: { currency, product, unit_amount: value } }
}

/** An item keeps its currency for life, so a change does not name it. */
export function repricing(item: ItemContent): Pick<Stripe.InvoiceItemUpdateParams, 'amount' | 'price_data'> {
  const { amount, price_data } = pricing(item)
  return price_data ? { price_data } : { amount: amount ?? 0 }
}

export function wording({ description, periodStart, periodEnd }: ItemContent) {
  return { description, period: { start: periodStart, end: periodEnd } }
}
