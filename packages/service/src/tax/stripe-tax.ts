import { addressRequired } from './address-required.ts'
import type { TaxPort } from './port.ts'

/**
 * Stripe computes the tax of each invoice by where the customer is, and so has to know that: nothing is
 * asked here, but an address is needed. https://docs.stripe.com/billing/taxes/collect-taxes
 */
export const stripeTax: TaxPort = {
  provider: 'stripe',
  isAutomatic: true,
  async assess(address) {
    if (address === null) throw addressRequired()
    return { provider: 'stripe', status: 'automatic', metadata: {} }
  },
}
