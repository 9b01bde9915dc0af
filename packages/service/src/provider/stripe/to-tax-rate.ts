import type { TaxRate } from '@lockstep/core/tax-rate'
import type Stripe from 'stripe'

/** A rate as subscriptions and items show it: whole, and never changed. */
export function toTaxRate({ id, display_name: name, percentage, inclusive }: Stripe.TaxRate): TaxRate {
  return { id, name, percent: `${percentage}`, inclusive }
}
