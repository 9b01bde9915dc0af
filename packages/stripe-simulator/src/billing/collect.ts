import { StripeError } from '../errors.ts'
import type { InvoiceRow, PaymentIntentRow, PaymentMethodRow } from '../rows.ts'
import { defined } from '../rules/defined.ts'
import { adviceOf, declineMessage } from '../rules/test-cards.ts'
import type { World } from '../world.ts'
import { markPaid } from './invoices.ts'
import { methodFor } from './methods.ts'
import { confirmIntent, faceOf } from './payments.ts'

export interface Collection {
  readonly offSession: boolean
  /** Whether this is one of Stripe's own retries. Manual ones after the first do not count. */
  readonly automatic: boolean
  readonly method?: PaymentMethodRow
  readonly authenticated?: boolean
  readonly returnUrl?: string | undefined
}

export type CollectionResult =
  | { readonly result: 'paid' | 'processing'; readonly invoice: InvoiceRow }
  | {
      readonly result: 'failed' | 'requires_action' | 'no_method'
      readonly invoice: InvoiceRow
      readonly error: StripeError
    }

/** Attempts to collect an open invoice. What follows for the subscription is the caller's. */
export function collect(world: World, id: string, how: Collection): CollectionResult {
  const invoice = world.invoices.must(id)
  // A debit under way is waited for.
  if (world.paymentIntents.get(invoice.own.paymentIntent)?.status === 'processing') {
    return { result: 'processing', invoice }
  }
  const method = how.method ?? methodFor(world, invoice)
  const counted = how.automatic || !invoice.attempted
  const attempted = world.invoices.patch(id, {
    attempted: true,
    attempt_count: invoice.attempt_count + (counted ? 1 : 0),
  })
  if (method === undefined) {
    return { result: 'no_method', invoice: failed(world, attempted, how.automatic), error: noMethod() }
  }
  const intentId = invoice.own.paymentIntent
  if (intentId === null) throw new Error(`open invoice ${id} has no intent`)
  const { intent, attempt } = confirmIntent(world, intentId, method, {
    offSession: how.offSession,
    authenticated: how.authenticated ?? false,
    returnUrl: how.returnUrl,
  })
  if (attempt.result === 'succeeded') {
    if (how.offSession === false) {
      world.paymentMethods.patch(method.id, { own: { ...method.own, setUp: true } })
    }
    return { result: 'paid', invoice: markPaid(world, id, { outOfBand: false }) }
  }
  if (attempt.result === 'processing') {
    const waiting = world.invoices.patch(id, { next_payment_attempt: null })
    world.emit('invoice.updated', waiting)
    return { result: 'processing', invoice: waiting }
  }
  if (attempt.result === 'requires_action') {
    const waiting = failed(world, attempted, how.automatic)
    world.emit('invoice.payment_action_required', waiting)
    return {
      result: 'requires_action',
      invoice: waiting,
      // https://docs.stripe.com/error-codes#invoice-payment-intent-requires-action
      error: cardError(world, 'invoice_payment_intent_requires_action', null, intent),
    }
  }
  return {
    result: 'failed',
    invoice: failed(world, attempted, how.automatic),
    error: cardError(world, attempt.code, attempt.declineCode, intent),
  }
}

/** The next attempt is planned before it is told that this one failed: the event says when it will be. */
export function failed(world: World, attempted: InvoiceRow, automatic: boolean): InvoiceRow {
  const invoice = automatic ? planRetry(world, attempted) : attempted
  world.emit('invoice.updated', invoice)
  world.emit('invoice.payment_failed', invoice)
  markDelinquent(world, invoice)
  return invoice
}

/**
 * An automatic payment failed, or the day on which an invoice had to be paid is over.
 * https://docs.stripe.com/api/customers/object#customer_object-delinquent
 */
export function markDelinquent(world: World, { customer }: InvoiceRow): void {
  const { id, delinquent, own } = world.customers.must(customer)
  if (delinquent === true || own.deleted) return
  world.emit('customer.updated', world.customers.patch(id, { delinquent: true }))
}

const DAY = 86_400

/** The settings' days after this failure, or nothing more when they are used up. */
function planRetry(world: World, invoice: InvoiceRow): InvoiceRow {
  const { id, own } = invoice
  const days = world.settings.retryDays[own.retries]
  const at = days === undefined ? null : world.now(own.clock) + days * DAY
  world.alarm('invoice.retry', id, own.clock, at)
  return world.invoices.patch(id, {
    next_payment_attempt: at,
    ...(at === null ? { auto_advance: false } : {}),
    own: { ...own, retries: own.retries + 1 },
  })
}

/**
 * A charge that failed, or waits for the card's holder: the error tells the intent and the method whole.
 * https://docs.stripe.com/api/errors#errors-payment_intent
 */
export function cardError(
  world: World,
  code: string,
  declineCode: string | null,
  intent: PaymentIntentRow,
): StripeError {
  const waits = intent.status === 'requires_action'
  const { payment_method, source } = intent.last_payment_error ?? {}
  const charged = waits
    ? faceOf(world, intent, world.paymentMethods.must(intent.payment_method))
    : defined({ payment_method, source })
  return new StripeError(
    402,
    {
      type: 'card_error',
      code,
      message: declineMessage(code, declineCode),
      ...(declineCode === null ? {} : { decline_code: declineCode }),
      ...adviceOf(declineCode),
      ...(waits ? {} : { charge: intent.latest_charge }),
      payment_intent: world.render(intent),
      ...charged,
    },
    true,
  )
}

export function noMethod(): StripeError {
  return new StripeError(400, {
    type: 'invalid_request_error',
    code: 'resource_missing',
    message:
      'This customer has no attached payment source or default payment method. Please consider adding a default payment method. For more information, visit https://stripe.com/docs/billing/subscriptions/payment-methods-setting#payment-method-priority.',
  })
}
