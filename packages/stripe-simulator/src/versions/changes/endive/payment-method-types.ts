import { invalid } from '../../../errors.ts'
import { change } from '../../change.ts'
import type { Given } from '../../given.ts'

const allowed = (given: Given) => given.move('payment_method_types', 'allowed_payment_method_types')

/** A list fixed the methods of an intent, and those of the dashboard were not taken then. */
function fixed(given: Given): void {
  if (given.get('payment_method_types') === undefined) return
  if (given.get('automatic_payment_methods') !== undefined) {
    throw invalid(
      'You may only specify one of these parameters: automatic_payment_methods, payment_method_types.',
      'automatic_payment_methods',
    )
  }
  allowed(given)
  given.set('automatic_payment_methods[enabled]', 'false')
}

export const paymentMethodTypes = change({
  since: '2026-09-30.endive',
  what: 'Intents and Checkout take `allowed_payment_method_types`; `payment_method_types` is only answered.',
  source: 'https://docs.stripe.com/changelog/endive/2026-09-30/remove-payment-method-types-checkout-sessions',
  show: { 'checkout.session': { drop: ['allowed_payment_method_types'] } },
  parameters: { 'POST /v1/checkout/sessions': ['allowed_payment_method_types'] },
  accept: {
    'POST /v1/checkout/sessions': allowed,
    'POST /v1/payment_intents': fixed,
    'POST /v1/payment_intents/:id': allowed,
    'POST /v1/payment_intents/:id/confirm': allowed,
    'POST /v1/setup_intents': fixed,
    'POST /v1/setup_intents/:id': allowed,
  },
})
