import type Stripe from 'stripe'
import type { Shown } from '../../shown.ts'
import { change } from '../change.ts'

type Session = Pick<Shown<Stripe.Checkout.Session>, 'mode' | 'payment_method_collection'>

export const noCostOrders = change({
  since: '2023-08-16',
  what: 'A Checkout page for a payment asks for a method if there is something to pay; it always did.',
  source: 'https://docs.stripe.com/changelog/2023-08-16/no-cost-orders-checkout-session',
  show: {
    'checkout.session': {
      give: {
        payment_method_collection: ({ mode, payment_method_collection: collection }: Session) =>
          mode === 'payment' ? ('always' as const) : collection,
      },
    },
  },
})
