import type { PaymentIntentRow, PaymentMethodRow } from '../rows.ts'
import type { World } from '../world.ts'
import { createCharge } from './charges.ts'

/**
 * A debit is on its way: neither paid nor failed until the bank says so, days later.
 * https://docs.stripe.com/payments/ach-direct-debit
 */
export function startDebit(
  world: World,
  intent: PaymentIntentRow,
  method: PaymentMethodRow,
): PaymentIntentRow {
  const charge = createCharge(world, intent, method, 'pending')
  const { clock } = intent.own
  world.alarm('intent.settle', intent.id, clock, world.now(clock) + world.settings.debitSeconds)
  const started = world.paymentIntents.patch(intent.id, {
    status: 'processing',
    payment_method: method.id,
    latest_charge: charge.id,
    last_payment_error: null,
    next_action: null,
  })
  world.emit('payment_intent.processing', started)
  return started
}
