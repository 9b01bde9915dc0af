import { invalid } from '../errors.ts'
import type { ChargeRow, PaymentIntentRow, PaymentMethodRow } from '../rows.ts'
import { adviceOf, declineMessage } from '../rules/test-cards.ts'
import type { World } from '../world.ts'
import { chargedCard, checkedCard } from './charged-card.ts'
import { createDispute } from './disputes.ts'
import { asCard, behaviorOf, isCard } from './methods.ts'
import { refuseUnchargeable } from './refuse-unchargeable.ts'
import { unexpectedPayment } from './unexpected-state.ts'

/** How long a bank holds money for a card that is charged by its holder. https://docs.stripe.com/payments/place-a-hold-on-a-payment-method */
const HOLD_SECONDS = 7 * 86_400

interface Failure {
  readonly code: string
  readonly declineCode: string | null
}

/** The charge of an attempt, paid or declined. With manual capture it only holds the money, for seven days. */
export function createCharge(
  world: World,
  intent: PaymentIntentRow,
  used: PaymentMethodRow,
  outcome: Failure | 'pending' | null,
): ChargeRow {
  const pending = outcome === 'pending'
  const failure = pending ? null : outcome
  const method = checkedCard(world, used, failure?.code)
  const paid = outcome === null
  const held = paid && intent.capture_method === 'manual'
  const now = world.now(intent.own.clock)
  // What is not a card's is a payment.
  const id = world.ids.next(method.type === 'card' ? 'ch' : 'py')
  const charge = world.charges.insert({
    id,
    object: 'charge',
    amount: intent.amount,
    amount_captured: paid && !held ? intent.amount : 0,
    amount_refunded: 0,
    application: null,
    application_fee: null,
    application_fee_amount: null,
    balance_transaction: paid && !held ? world.ids.next('txn') : null,
    billing_details: method.billing_details,
    calculated_statement_descriptor: 'SIMULATOR',
    captured: (paid || pending) && !held,
    created: now,
    currency: intent.currency,
    customer: intent.customer,
    description: intent.description,
    disputed: false,
    failure_balance_transaction: null,
    failure_code: failure?.code ?? null,
    failure_message: failure === null ? null : declineMessage(failure.code, failure.declineCode),
    fraud_details: {},
    livemode: false,
    metadata: intent.metadata,
    on_behalf_of: null,
    outcome: pending
      ? { ...outcomeOf(method, null), seller_message: 'Payment pending.' }
      : outcomeOf(method, failure),
    paid,
    payment_intent: intent.id,
    payment_method: method.id,
    payment_method_details: {
      ...(method.card === undefined
        ? { us_bank_account: method.us_bank_account }
        : {
            card: {
              ...chargedCard(method.card, intent.amount, paid),
              ...(held ? { capture_before: now + HOLD_SECONDS } : {}),
            },
          }),
      type: method.type,
    },
    radar_options: {},
    receipt_email: null,
    receipt_number: null,
    receipt_url: null,
    refunded: false,
    review: null,
    shipping: null,
    source: isCard(method) ? world.render(asCard(method)) : null,
    source_transfer: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: pending ? 'pending' : paid ? 'succeeded' : 'failed',
    transfer_data: null,
    transfer_group: null,
    own: { clock: intent.own.clock },
  } as unknown as ChargeRow)
  if (held) world.alarm('intent.expire', intent.id, intent.own.clock, now + HOLD_SECONDS)
  world.emit(pending ? 'charge.pending' : paid ? 'charge.succeeded' : 'charge.failed', charge)
  return charge
}

/** What the bank and the risk rules said; a payment that the rules block never reaches the bank. */
function outcomeOf(method: PaymentMethodRow, failure: Failure | null) {
  const none = { advice_code: null, network_advice_code: null, network_decline_code: null }
  if (failure === null) {
    return {
      ...none,
      network_status: 'approved_by_network',
      reason: null,
      risk_level: 'normal',
      seller_message: 'Payment complete.',
      type: 'authorized',
    }
  }
  const behavior = behaviorOf(method)
  if (behavior.on === 'declines' && behavior.blocked === true) {
    return {
      ...none,
      network_status: 'not_sent_to_network',
      reason: 'highest_risk_level',
      risk_level: 'highest',
      seller_message: 'Stripe blocked this payment as too risky.',
      type: 'blocked',
    }
  }
  return {
    ...none,
    ...adviceOf(failure.declineCode),
    network_status: 'declined_by_network',
    reason: failure.declineCode,
    risk_level: 'normal',
    seller_message:
      failure.declineCode === null || failure.declineCode === 'generic_decline'
        ? 'The bank did not return any further details with this decline.'
        : `The bank returned the decline code \`${failure.declineCode}\`.`,
    type: 'issuer_declined',
  }
}

/**
 * Takes what is held, or less: the rest goes back to the card, and there is no second capture.
 * https://docs.stripe.com/api/payment_intents/capture
 */
export function captureIntent(world: World, id: string, asked: number | undefined): PaymentIntentRow {
  const intent = world.paymentIntents.must(id)
  if (intent.status !== 'requires_capture') {
    throw unexpectedPayment(
      world,
      intent,
      `This PaymentIntent could not be captured because it has a status of ${intent.status}. Only a PaymentIntent with one of the following statuses may be captured: requires_capture.`,
    )
  }
  const amount = asked ?? intent.amount_capturable
  if (amount > intent.amount_capturable) {
    throw invalid(
      `The remaining amount to capture is ${intent.amount_capturable}; more cannot be captured.`,
      'amount_to_capture',
      'amount_too_large',
    )
  }
  refuseUnchargeable(amount, intent.currency, 'amount_to_capture')
  world.alarm('intent.expire', id, intent.own.clock, null)
  const charge = world.charges.patch(intent.latest_charge as string, {
    amount_captured: amount,
    balance_transaction: world.ids.next('txn'),
    captured: true,
  })
  world.emit('charge.captured', charge)
  const paid = world.paymentIntents.patch(id, {
    status: 'succeeded',
    amount_capturable: 0,
    amount_received: amount,
  })
  world.emit('payment_intent.succeeded', paid)
  createDispute(world, charge)
  return paid
}
