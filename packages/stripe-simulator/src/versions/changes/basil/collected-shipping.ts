import type Stripe from 'stripe'
import type { Shown } from '../../../shown.ts'
import { change } from '../../change.ts'

type Collected = Shown<Stripe.Checkout.Session.CollectedInformation>

export const collectedShipping = change({
  since: '2025-03-31.basil',
  what: 'Where to ship to is part of what a Checkout page collected.',
  source: 'https://docs.stripe.com/changelog/basil',
  show: {
    'checkout.session': {
      give: {
        shipping_details: ({
          collected_information: collected,
        }: {
          readonly collected_information: Pick<Collected, 'shipping_details'> | null
        }) => collected?.shipping_details ?? null,
      },
    },
  },
})
