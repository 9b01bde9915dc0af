import type Stripe from 'stripe'
import type { Shown } from '../../../shown.ts'
import { change } from '../../change.ts'

export const collectedShipping = change({
  since: '2025-03-31.basil',
  what: 'Where to ship to is part of what a Checkout page collected.',
  source: 'https://docs.stripe.com/changelog/basil',
  show: {
    'checkout.session': {
      give: {
        shipping_details: ({
          collected_information: collected,
        }: Pick<Shown<Stripe.Checkout.Session>, 'collected_information'>) =>
          collected?.shipping_details ?? null,
      },
    },
  },
})
