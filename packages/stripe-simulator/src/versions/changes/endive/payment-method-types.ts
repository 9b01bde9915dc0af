import { change } from '../../change.ts'
import type { Given } from '../../given.ts'

const allowed = (given: Given) => given.move('payment_method_types', 'allowed_payment_method_types')

export const paymentMethodTypes = change({
  since: '2026-09-30.endive',
  what: 'Intents and Checkout take `allowed_payment_method_types`; `payment_method_types` is only answered.',
  source: 'https://docs.stripe.com/changelog/endive/2026-09-30/remove-payment-method-types-checkout-sessions',
  show: { 'checkout.session': { drop: ['allowed_payment_method_types'] } },
  parameters: { 'POST /v1/checkout/sessions': ['allowed_payment_method_types'] },
  accept: {
    'POST /v1/checkout/sessions': allowed,
    'POST /v1/payment_intents': allowed,
    'POST /v1/payment_intents/:id': allowed,
    'POST /v1/payment_intents/:id/confirm': allowed,
    'POST /v1/setup_intents': allowed,
    'POST /v1/setup_intents/:id': allowed,
  },
})
