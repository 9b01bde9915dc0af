import type Stripe from 'stripe'
import type { PendingContent } from '../../store/pending-items.ts'
import { idOf, idOrNull, present } from './field.ts'
import { toTaxRate } from './to-tax-rate.ts'

/** An item that waits to be billed, or stands on a draft. */
export interface ObservedPendingItem {
  readonly providerId: string
  readonly customer: string
  /** Null: the next invoice of whichever of the customer's subscriptions takes it. */
  readonly subscription: string | null
  readonly invoice: string | null
  readonly metadata: Readonly<Record<string, string>> | null
  readonly content: PendingContent
}

export function toPendingItem(item: Stripe.InvoiceItem): ObservedPendingItem {
  const parent = present(item.parent, 'parent')
  const price = present(item.pricing, 'pricing')?.price_details
  return {
    providerId: item.id,
    customer: idOf(present(item.customer, 'customer')),
    subscription: parent?.subscription_details?.subscription ?? null,
    invoice: idOrNull(item.invoice, 'invoice'),
    metadata: present(item.metadata, 'metadata'),
    content: {
      amount: `${present(item.amount, 'amount')}`,
      net: item.net_amount == null ? null : `${item.net_amount}`,
      currency: item.currency,
      description: item.description ?? '',
      periodStart: item.period.start,
      periodEnd: item.period.end,
      madeAt: item.date,
      quantity: item.quantity,
      isProration: item.proration,
      isDiscountable: item.discountable,
      product: price ? idOf(price.product) : null,
      discounts: (item.discounts ?? []).map(idOf),
      taxRates: (item.tax_rates ?? []).map(toTaxRate),
    },
  }
}
