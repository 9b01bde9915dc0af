import { type ErrorBody, invalid, StripeError } from '../errors.ts'
import type { PaymentIntentRow, PaymentMethodRow, SetupIntentRow } from '../rows.ts'
import { adviceOf, attempt, declineMessage } from '../rules/test-cards.ts'
import type { World } from '../world.ts'
import { afterSetUp } from './after-set-up.ts'
import { creditAttached } from './attach-payment.ts'
import { challengeOf } from './challenge.ts'
import { checkedCard } from './charged-card.ts'
import { cardError } from './collect.ts'
import { behaviorOf } from './methods.ts'
import { confirmIntent, fail } from './payments.ts'
import { collectAndSettle } from './settle.ts'
import { unexpectedPayment, unexpectedSetup } from './unexpected-state.ts'

/** What a request that confirms is held to, once the intent can be confirmed at all. */
type Check<Row> = (
  world: World,
  intent: Row,
  how: { readonly offSession: boolean; readonly returnUrl?: string | undefined },
) => void

interface ByHand {
  readonly check?: Check<PaymentIntentRow>
  readonly offSession: boolean
  readonly authenticated?: boolean
  readonly returnUrl?: string | undefined
}

/** Confirms an intent by hand. An invoice's intent pays its invoice. */
export function confirmWith(
  world: World,
  id: string,
  { check, offSession, authenticated = false, returnUrl }: ByHand,
): PaymentIntentRow {
  const intent = world.paymentIntents.must(id)
  const method = world.paymentMethods.get(intent.payment_method)
  const ready = authenticated ? intent.status === 'requires_action' : confirmable(intent.status)
  if (!ready) {
    throw unexpectedPayment(
      world,
      intent,
      `This PaymentIntent's status is ${intent.status}; it cannot be confirmed.`,
    )
  }
  if (method === undefined) {
    throw unexpectedPayment(
      world,
      intent,
      "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a payment method or ConfirmationToken.",
    )
  }
  check?.(world, intent, { offSession, returnUrl })
  if (intent.own.invoice !== null) {
    const outcome = collectAndSettle(world, intent.own.invoice, {
      offSession,
      automatic: false,
      method,
      authenticated,
      returnUrl,
    })
    if (outcome.result === 'failed' || outcome.result === 'no_method') throw outcome.error
    if (outcome.result === 'paid' || outcome.result === 'processing') keepMethod(world, intent, method)
    return world.paymentIntents.must(id)
  }
  const { intent: next, attempt: outcome } = confirmIntent(world, id, method, {
    offSession,
    authenticated,
    returnUrl,
  })
  if (outcome.result === 'declined') throw cardError(world, outcome.code, outcome.declineCode, next)
  if (outcome.result === 'succeeded' || outcome.result === 'processing') {
    keepMethod(world, intent, method)
    if (next.status === 'succeeded') creditAttached(world, next)
  }
  return world.paymentIntents.must(id)
}

function confirmable(status: string): boolean {
  return (
    status === 'requires_confirmation' || status === 'requires_payment_method' || status === 'requires_action'
  )
}

/** A method that paid and may be used again belongs to the customer from then on. */
function keepMethod(world: World, intent: PaymentIntentRow, method: PaymentMethodRow): void {
  if (intent.customer === null || intent.setup_future_usage === null) return
  const first = method.customer === null
  const kept = world.paymentMethods.patch(method.id, {
    customer: intent.customer,
    own: { ...method.own, clock: intent.own.clock, setUp: true },
  })
  if (first) world.emit('payment_method.attached', kept)
}

/** The customer's answer to a 3-D Secure challenge, which a person gives on a page at Stripe. */
export function authenticateIntent(world: World, id: string, outcome: 'succeed' | 'fail'): PaymentIntentRow {
  const intent = world.paymentIntents.get(id)
  if (intent === undefined || intent.status !== 'requires_action') {
    throw invalid(`${id} does not wait for authentication.`)
  }
  if (outcome === 'succeed') return confirmWith(world, id, { offSession: false, authenticated: true })
  const method = world.paymentMethods.must(intent.payment_method)
  const failed = fail(world, intent, method, 'payment_intent_authentication_failure', null)
  const invoice = world.invoices.get(intent.own.invoice)
  if (invoice !== undefined) world.emit('invoice.payment_failed', invoice)
  return failed
}

/** Confirms a SetupIntent: the card is checked with its bank and kept for the customer. */
export function confirmSetup(
  world: World,
  id: string,
  authenticated: boolean,
  returnUrl?: string,
  check?: Check<SetupIntentRow>,
): SetupIntentRow {
  const intent = world.setupIntents.must(id)
  const method = world.paymentMethods.get(intent.payment_method)
  // Asked first, whatever the status: as recorded.
  if (method === undefined) {
    throw unexpectedSetup(
      world,
      intent,
      "You cannot confirm this SetupIntent because it's missing a payment method. You can either update the SetupIntent with a payment method and then confirm it again, or confirm it again directly with a payment method or ConfirmationToken.",
    )
  }
  if (intent.status === 'succeeded' || intent.status === 'canceled') {
    const why = intent.status === 'succeeded' ? 'it has already succeeded' : 'it has been canceled'
    throw unexpectedSetup(world, intent, `You cannot confirm this SetupIntent because ${why}.`)
  }
  check?.(world, intent, { offSession: false, returnUrl })
  const behavior = behaviorOf(method)
  const asked = behavior.on === 'asks' && behavior.when === 'on_session'
  const outcome = asked
    ? { result: 'succeeded' as const }
    : attempt(behavior, { offSession: false, setUp: method.own.setUp, authenticated })
  // A card that only fails when charged passes the check.
  if (
    outcome.result === 'succeeded' ||
    behavior.on === 'fails_later' ||
    behavior.on === 'debits' ||
    (behavior.on === 'asks' && authenticated)
  ) {
    return succeed(world, intent, method)
  }
  if (outcome.result !== 'declined') {
    const waiting = world.setupIntents.patch(id, {
      status: 'requires_action',
      next_action: challengeOf(world, id, returnUrl) as unknown as SetupIntentRow['next_action'],
    })
    world.emit('setup_intent.requires_action', waiting)
    return waiting
  }
  const error: ErrorBody = {
    type: 'card_error',
    code: outcome.code,
    message: declineMessage(outcome.code, outcome.declineCode),
    ...(outcome.declineCode === null ? {} : { decline_code: outcome.declineCode }),
    ...adviceOf(outcome.declineCode),
    // Of the declines of a set-up only this one names a field, as recorded.
    ...(outcome.code === 'expired_card' ? { param: 'exp_month' } : {}),
    payment_method: world.render(checkedCard(world, method, outcome.code)),
  }
  const failed = world.setupIntents.patch(id, {
    status: 'requires_payment_method',
    payment_method: null,
    next_action: null,
    last_setup_error: error as unknown as SetupIntentRow['last_setup_error'],
  })
  world.emit('setup_intent.setup_failed', failed)
  throw new StripeError(402, { ...error, setup_intent: world.render(failed) }, true)
}

function succeed(world: World, intent: SetupIntentRow, method: PaymentMethodRow): SetupIntentRow {
  const attached = intent.customer !== null && method.customer === null
  const kept = world.paymentMethods.patch(checkedCard(world, method).id, {
    customer: intent.customer ?? method.customer,
    own: { ...method.own, clock: intent.own.clock, setUp: true },
  })
  const done = world.setupIntents.patch(intent.id, {
    status: 'succeeded',
    next_action: null,
    last_setup_error: null,
  })
  world.emit('setup_intent.succeeded', done)
  if (attached) world.emit('payment_method.attached', kept)
  afterSetUp(world, done)
  return done
}

/** The answer to a challenge during set-up. */
export function authenticateSetup(world: World, id: string, outcome: 'succeed' | 'fail'): SetupIntentRow {
  const intent = world.setupIntents.get(id)
  if (intent === undefined || intent.status !== 'requires_action') {
    throw invalid(`${id} does not wait for authentication.`)
  }
  if (outcome === 'succeed') return confirmSetup(world, id, true)
  const failed = world.setupIntents.patch(id, {
    status: 'requires_payment_method',
    payment_method: null,
    next_action: null,
    last_setup_error: {
      type: 'card_error',
      code: 'setup_intent_authentication_failure',
      message: 'The latest attempt to set up the payment method has failed because authentication failed.',
    } as unknown as SetupIntentRow['last_setup_error'],
  })
  world.emit('setup_intent.setup_failed', failed)
  return failed
}
