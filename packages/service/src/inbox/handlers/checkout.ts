import { type Handlers, looksAt } from '../handler.ts'

export const checkoutHandlers: Handlers = {
  'checkout.session.completed': looksAt(
    'checkout_session',
    'The customer left a payment method: the registration goes on.',
  ),
  'checkout.session.async_payment_succeeded': looksAt(
    'checkout_session',
    'A payment that takes days has come: completed was not yet paid.',
  ),
  'checkout.session.async_payment_failed': looksAt(
    'checkout_session',
    'A payment that takes days will not come.',
  ),
  'checkout.session.expired': looksAt('checkout_session', 'The customer did not come: it is undone.'),
}
