import { change } from '../change.ts'

export const customerCreation = change({
  since: '2022-08-01',
  what: 'A Checkout page for a payment makes a customer when it is asked to; it always made one.',
  source: 'https://docs.stripe.com/changelog/2022-08-01/default-customer-creation-checkout-session',
  accept: {
    'POST /v1/checkout/sessions': (given) => {
      const asked = given.get('customer') !== undefined || given.get('customer_creation') !== undefined
      if (given.get('mode') === 'payment' && !asked) given.set('customer_creation', 'always')
    },
  },
})
