import type Stripe from 'stripe'
import type { ProviderSums } from '../../store/provider-sums.ts'
import { idOf } from './field.ts'

/** What a final invoice says between its lines and what is due. */
export function toInvoiceSums(invoice: Stripe.Invoice): ProviderSums {
  return {
    discounts: (invoice.total_discount_amounts ?? []).map(({ discount, amount }) => ({
      ...{ discount: idOf(discount), amount },
    })),
    taxes: (invoice.total_taxes ?? []).map(
      ({ amount, tax_behavior: behavior, tax_rate_details: rate, taxable_amount: taxable }) => ({
        ...{ rate: rate?.tax_rate ?? null, amount, inclusive: behavior === 'inclusive', taxable },
      }),
    ),
    withoutTax: invoice.total_excluding_tax ?? null,
    startingBalance: invoice.starting_balance,
    endingBalance: invoice.ending_balance,
  }
}
