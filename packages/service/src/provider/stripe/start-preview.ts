import type { Instant } from '@lockstep/core/instant'
import type Stripe from 'stripe'
import type { Provider } from './account.ts'
import { readStripe } from './call.ts'

export interface StartToPreview {
  /** Null where the provider knows nobody any more: the customer is made anew when it begins. */
  readonly providerCustomer: string | null
  readonly items: readonly { readonly providerPrice: string; readonly quantity: number }[]
  readonly trialEnd: Instant | null
  readonly automaticTax: boolean
}

/** The invoice that a subscription would begin with, by Stripe's own computation; nothing is made. */
export function previewStart(
  deps: { readonly provider: Provider },
  { providerCustomer, items, trialEnd, automaticTax }: StartToPreview,
): Promise<Stripe.Invoice> {
  return readStripe(deps, (stripe) =>
    stripe.invoices.createPreview({
      ...(providerCustomer !== null && { customer: providerCustomer }),
      ...(automaticTax && { automatic_tax: { enabled: true } }),
      subscription_details: {
        items: items.map(({ providerPrice: price, quantity }) => ({ price, quantity })),
        billing_mode: { type: 'flexible' },
        ...(trialEnd !== null && { trial_end: trialEnd }),
      },
    }),
  )
}
