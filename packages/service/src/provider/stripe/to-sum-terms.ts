import type { TaxRate } from '@lockstep/core/tax-rate'
import type Stripe from 'stripe'
import type { SumPicture } from '../../store/sum-terms.ts'
import { idOf } from './field.ts'
import { toTaxRate } from './to-tax-rate.ts'

/** By what Stripe sums the invoices of a subscription. */
export interface SumTerms {
  /** Of every line that has no rates of its own. */
  readonly taxRates: readonly TaxRate[]
  /** In the order in which they were added. */
  readonly items: readonly SumItem[]
  /** Somebody else knows the tax: Stripe, or who is connected to it. */
  readonly isTaxedElsewhere: boolean
  readonly isTaxExempt: boolean
  /** Otherwise it is sent, and paid by hand. */
  readonly isCharged: boolean
  /** In Stripe's units, below zero for credit; null where the customer was not seen. */
  readonly balance: bigint | null
}

interface SumItem {
  readonly id: string
  readonly product: string
  readonly taxRates: readonly TaxRate[]
}

export function toSumTerms({ subscription, customer }: SumPicture): SumTerms {
  const { default_tax_rates, automatic_tax, collection_method, items } = subscription as Partial<
    Pick<Stripe.Subscription, 'default_tax_rates' | 'automatic_tax' | 'collection_method'>
  > & { readonly items: readonly Stripe.SubscriptionItem[] | null }
  const { balance, tax_exempt, metadata } = (customer ?? {}) as Partial<
    Pick<Stripe.Customer, 'balance' | 'tax_exempt' | 'metadata'>
  >
  return {
    taxRates: (default_tax_rates ?? []).map(toTaxRate),
    items: (items ?? []).map(({ id, price, tax_rates: rates }) => ({
      ...{ id, product: idOf(price.product), taxRates: (rates ?? []).map(toTaxRate) },
    })),
    // Avalara's own connection to Stripe taxes drafts; what it was told of the customer stands there.
    isTaxedElsewhere: automatic_tax?.enabled === true || metadata?.lockstep_tax_authorities !== undefined,
    isTaxExempt: tax_exempt === 'exempt' || tax_exempt === 'reverse',
    isCharged: collection_method !== 'send_invoice',
    balance: balance === undefined ? null : BigInt(balance),
  }
}
