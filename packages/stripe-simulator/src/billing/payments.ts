import { docUrl } from '../errors.ts'
import type { PaymentIntentRow, PaymentMethodRow } from '../rows.ts'
import { METHOD_TYPES } from '../rules/test-accounts.ts'
import { type Attempt, adviceOf, attempt, declineMessage } from '../rules/test-cards.ts'
import type { World } from '../world.ts'
import { challengeOf } from './challenge.ts'
import { createCharge } from './charges.ts'
import { createDispute } from './disputes.ts'
import { asCard, behaviorOf, isCard } from './methods.ts'
import { refuseUnchargeable } from './refuse-unchargeable.ts'
import { startDebit } from './start-debit.ts'

export interface IntentOf {
  readonly amount: number
  readonly currency: string
  readonly customer: string | null
  readonly clock: string | null
  readonly invoice: string | null
  readonly description: string | null
  readonly metadata: Record<string, string>
  readonly setupFutureUsage: 'off_session' | 'on_session' | null
  readonly captureMethod?: PaymentIntentRow['capture_method'] | undefined
}

/** Nothing asked for. As recorded: github.com/Kiln-AI/stripe_world, cassette 04. */
const CARD_OPTIONS = {
  installments: null,
  mandate_options: null,
  network: null,
  request_three_d_secure: 'automatic',
}

/** A PaymentIntent that waits for a method. https://docs.stripe.com/payments/paymentintents/lifecycle */
export function createIntent(world: World, of: IntentOf): PaymentIntentRow {
  refuseUnchargeable(of.amount, of.currency)
  const id = world.ids.next('pi')
  const intent = world.paymentIntents.insert({
    id,
    object: 'payment_intent',
    allowed_payment_method_types: null,
    amount: of.amount,
    amount_capturable: 0,
    amount_details: { tip: {} },
    amount_received: 0,
    application: null,
    application_fee_amount: null,
    automatic_payment_methods: null,
    canceled_at: null,
    cancellation_reason: null,
    capture_method: of.captureMethod ?? (of.invoice === null ? 'automatic_async' : 'automatic'),
    client_secret: `${id}_secret_${world.ids.secret(25)}`,
    confirmation_method: 'automatic',
    created: world.now(of.clock),
    currency: of.currency,
    customer: of.customer,
    customer_account: null,
    description: of.description,
    excluded_payment_method_types: null,
    last_payment_error: null,
    latest_charge: null,
    livemode: false,
    managed_payments: { enabled: false },
    metadata: of.metadata,
    next_action: null,
    on_behalf_of: null,
    payment_method: null,
    payment_method_configuration_details: null,
    payment_method_options: { card: CARD_OPTIONS },
    payment_method_types: [...METHOD_TYPES],
    payment_record: null,
    processing: null,
    receipt_email: null,
    review: null,
    setup_future_usage: of.setupFutureUsage,
    shipping: null,
    source: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: 'requires_payment_method',
    transfer_data: null,
    transfer_group: null,
    own: { clock: of.clock, invoice: of.invoice },
  } as PaymentIntentRow)
  world.emit('payment_intent.created', intent)
  return intent
}

export interface Confirmation {
  readonly offSession: boolean
  readonly authenticated: boolean
  /** Where the page of a challenge sends its visitor afterwards. */
  readonly returnUrl?: string | undefined
}

/**
 * Charges the method for the intent. Off-session, a card that asks for its holder fails with
 * `authentication_required`; an invoice's intent then waits in `requires_action`.
 */
export function confirmIntent(
  world: World,
  id: string,
  method: PaymentMethodRow,
  { offSession, authenticated, returnUrl }: Confirmation,
): { intent: PaymentIntentRow; attempt: Attempt } {
  const result: Attempt =
    world.faultOfCharge(authenticated) ??
    attempt(behaviorOf(method), { offSession, authenticated, setUp: method.own.setUp })
  const intent = world.paymentIntents.must(id)
  switch (result.result) {
    case 'succeeded':
      return { intent: succeed(world, intent, method), attempt: result }
    case 'processing':
      return { intent: startDebit(world, intent, method), attempt: result }
    case 'declined':
      return { intent: fail(world, intent, method, result.code, result.declineCode), attempt: result }
    case 'requires_action': {
      if (offSession && intent.own.invoice === null) {
        const failed = fail(world, intent, method, 'authentication_required', 'authentication_required')
        return {
          intent: failed,
          attempt: {
            result: 'declined',
            code: 'authentication_required',
            declineCode: 'authentication_required',
          },
        }
      }
      const waiting = world.paymentIntents.patch(id, {
        status: 'requires_action',
        payment_method: method.id,
        next_action: challengeOf(world, id, returnUrl) as PaymentIntentRow['next_action'],
      })
      world.emit('payment_intent.requires_action', waiting)
      return { intent: waiting, attempt: result }
    }
  }
}

/** The money is taken, or only held where the business captures it by hand. */
function succeed(world: World, intent: PaymentIntentRow, method: PaymentMethodRow): PaymentIntentRow {
  const charge = createCharge(world, intent, method, null)
  const held = !charge.captured
  const paid = world.paymentIntents.patch(intent.id, {
    status: held ? 'requires_capture' : 'succeeded',
    payment_method: method.id,
    latest_charge: charge.id,
    ...(held ? { amount_capturable: intent.amount } : { amount_received: intent.amount }),
    last_payment_error: null,
    next_action: null,
  })
  world.emit(held ? 'payment_intent.amount_capturable_updated' : 'payment_intent.succeeded', paid)
  if (!held) createDispute(world, charge)
  return paid
}

export function fail(
  world: World,
  intent: PaymentIntentRow,
  method: PaymentMethodRow,
  code: string,
  declineCode: string | null,
): PaymentIntentRow {
  const charge = createCharge(world, intent, method, { code, declineCode })
  const failed = world.paymentIntents.patch(intent.id, {
    status: 'requires_payment_method',
    payment_method: null,
    latest_charge: charge.id,
    next_action: null,
    last_payment_error: {
      type: 'card_error',
      code,
      message: declineMessage(code, declineCode),
      charge: charge.id,
      doc_url: docUrl(code),
      ...faceOf(world, intent, world.paymentMethods.must(method.id)),
      payment_method_type: method.type,
      ...(declineCode === null ? {} : { decline_code: declineCode }),
      ...adviceOf(declineCode),
    } as unknown as PaymentIntentRow['last_payment_error'],
  })
  world.emit('payment_intent.payment_failed', failed)
  return failed
}

/** What was charged, in the place where Stripe tells of it: the card of an invoice is its source. */
export function faceOf(world: World, { own }: PaymentIntentRow, method: PaymentMethodRow) {
  return own.invoice !== null && isCard(method)
    ? { source: world.render(asCard(method)) }
    : { payment_method: world.render(method) }
}

export function cancelIntent(
  world: World,
  id: string,
  reason: PaymentIntentRow['cancellation_reason'],
): void {
  const intent = world.paymentIntents.must(id)
  if (intent.status === 'succeeded' || intent.status === 'canceled') return
  // What was held goes back; it was never taken, so nothing is refunded.
  if (intent.status === 'requires_capture') world.alarm('intent.expire', id, intent.own.clock, null)
  const canceled = world.paymentIntents.patch(id, {
    status: 'canceled',
    amount_capturable: 0,
    canceled_at: world.now(intent.own.clock),
    cancellation_reason: reason,
    next_action: null,
  })
  world.emit('payment_intent.canceled', canceled)
}
