import type { ChargeRow, CheckoutRow, PaymentIntentRow, PaymentMethodRow } from '../rows.ts'
import { returnMessage } from '../rules/test-accounts.ts'
import type { World } from '../world.ts'
import { creditAttached } from './attach-payment.ts'
import { behaviorOf } from './methods.ts'
import { afterDebit } from './settle.ts'

/** The bank answered a debit: what waited for the money goes on, or knows that it will not come. */
export function settleDebit(world: World, id: string): void {
  const intent = world.paymentIntents.must(id)
  if (intent.status !== 'processing') return
  const method = world.paymentMethods.must(intent.payment_method)
  const behavior = behaviorOf(method)
  const failure = behavior.on === 'debits' ? behavior.failure : null
  const charge = world.charges.must(intent.latest_charge)
  if (failure === null) succeed(world, intent, charge)
  else fail(world, intent, charge, method, failure)
  if (intent.own.invoice !== null) afterDebit(world, intent.own.invoice, failure === null)
  else if (failure === null) creditAttached(world, world.paymentIntents.must(id))
  tellCheckout(world, intent, failure === null)
}

function succeed(world: World, intent: PaymentIntentRow, charge: ChargeRow): void {
  const paid = { status: 'succeeded', paid: true, amount_captured: charge.amount } as const
  const done = world.charges.patch(charge.id, { ...paid, balance_transaction: world.ids.next('txn') })
  world.emit('charge.succeeded', done)
  const next = world.paymentIntents.patch(intent.id, { status: 'succeeded', amount_received: intent.amount })
  world.emit('payment_intent.succeeded', next)
}

function fail(
  world: World,
  intent: PaymentIntentRow,
  charge: ChargeRow,
  method: PaymentMethodRow,
  code: string,
): void {
  const message = returnMessage(code)
  const failed = { status: 'failed', captured: false, failure_code: code, failure_message: message } as const
  world.emit('charge.failed', world.charges.patch(charge.id, failed))
  const next = world.paymentIntents.patch(intent.id, {
    status: 'requires_payment_method',
    payment_method: null,
    last_payment_error: {
      type: 'invalid_request_error',
      code,
      message,
      charge: charge.id,
      payment_method: world.render(method),
    } as unknown as PaymentIntentRow['last_payment_error'],
  })
  world.emit('payment_intent.payment_failed', next)
}

/** A session was completed with the debit under way; only now it is paid. https://docs.stripe.com/payments/checkout/fulfill-orders */
function tellCheckout(world: World, { id, own }: PaymentIntentRow, good: boolean): void {
  for (const session of world.checkouts.all()) {
    const about = session.payment_intent === id || (own.invoice !== null && session.invoice === own.invoice)
    if (!about || session.status !== 'complete' || session.payment_status !== 'unpaid') continue
    const told: CheckoutRow = good ? world.checkouts.patch(session.id, { payment_status: 'paid' }) : session
    world.emit(`checkout.session.async_payment_${good ? 'succeeded' : 'failed'}`, told)
  }
}
