import { change } from '../change.ts'
import type { Given } from '../given.ts'

/** Cards alone, where nothing else is said. */
function cards(given: Given): void {
  const isSaid = ['payment_method_types', 'automatic_payment_methods'].some(
    (name) => given.get(name) !== undefined,
  )
  if (!isSaid) given.set('automatic_payment_methods[enabled]', 'false')
}

export const dynamicMethods = change({
  since: '2023-08-16',
  what: 'Intents take the methods of the dashboard unless they are told; they took cards.',
  source: 'https://docs.stripe.com/changelog/2023-08-16/automatic-payment-methods',
  accept: { 'POST /v1/payment_intents': cards, 'POST /v1/setup_intents': cards },
})
