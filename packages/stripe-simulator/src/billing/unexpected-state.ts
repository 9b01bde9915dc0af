import { StripeError } from '../errors.ts'
import type { PaymentIntentRow, SetupIntentRow } from '../rows.ts'
import type { World } from '../world.ts'

/** What is asked does not go with where the intent stands; the refusal carries it whole, as recorded. */
export function unexpectedPayment(
  world: World,
  intent: PaymentIntentRow,
  message: string,
  param?: string,
): StripeError {
  return new StripeError(400, {
    type: 'invalid_request_error',
    code: 'payment_intent_unexpected_state',
    message,
    ...(param === undefined ? {} : { param }),
    payment_intent: world.render(intent),
  })
}

export function unexpectedSetup(world: World, intent: SetupIntentRow, message: string): StripeError {
  return new StripeError(400, {
    type: 'invalid_request_error',
    code: 'setup_intent_unexpected_state',
    message,
    setup_intent: world.render(intent),
  })
}
