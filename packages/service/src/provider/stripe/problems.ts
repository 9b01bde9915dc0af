import { Problem, type ProblemCode } from '@lockstep/core/problem'
import Stripe from 'stripe'

/** The request never left: no turn at the limiter, or a transaction was open. */
export class NotSent extends Error {
  constructor(cause: unknown) {
    super('The request was not sent.', { cause })
    this.name = 'NotSent'
  }
}

/**
 * What an error says about the request that met it. Only the first two say that nothing was done.
 *
 * - `refused`: about the request itself. Saying it again does not help.
 * - `later`: decided before Stripe looked at the request. The same key may be used again.
 * - `closed`: our key is not accepted. Every further call makes it worse.
 * - `mismatch`: the key was used for another body. A bug of ours: never again with this key.
 * - `unknown`: it may or may not have been done.
 */
export type Verdict =
  | { readonly kind: 'refused'; readonly problem: Problem }
  | { readonly kind: 'later'; readonly problem: Problem }
  | { readonly kind: 'closed'; readonly problem: Problem }
  | { readonly kind: 'mismatch'; readonly problem: Problem }
  /**
   * `replayed`: Stripe keeps this failure for the key, so asking again with it tells nothing new. `isOver`: it is not at
   * work on it any more; where the connection broke, it may be.
   */
  | {
      readonly kind: 'unknown'
      readonly replayed: boolean
      readonly isOver: boolean
      readonly problem: Problem
    }

/** What kept a request from being sent; undefined of one that was. */
export function whyNotSent(error: unknown): unknown {
  if (!(error instanceof Stripe.errors.StripeError)) return undefined
  return error.detail instanceof NotSent ? error.detail.cause : undefined
}

/** Decided by status, type and code, never by message text. */
export function verdictOf(error: unknown): Verdict {
  if (!(error instanceof Stripe.errors.StripeError)) throw error
  const cause = whyNotSent(error)
  if (cause instanceof Problem) return { kind: 'later', problem: cause }
  if (cause !== undefined) throw cause

  const status = error.statusCode ?? 0
  if (status === 429 || error.code === 'rate_limit')
    return { kind: 'later', problem: unavailable(error, 'is busy') }
  if (status === 409 || error.code === 'idempotency_key_in_use') {
    return { kind: 'later', problem: unavailable(error, 'is still at work on this call') }
  }
  if (error.rawType === 'idempotency_error') {
    const problem = new Problem('provider_unknown_outcome', 'A call was repeated with another body.', {
      cause: error,
    })
    return { kind: 'mismatch', problem }
  }
  if (status === 401 || status === 403) {
    return { kind: 'closed', problem: unavailable(error, 'does not accept our key') }
  }
  if (status >= 400 && status < 500) return { kind: 'refused', problem: refusal(error) }
  const replayed = error.headers?.['idempotent-replayed'] === 'true'
  return {
    kind: 'unknown',
    replayed,
    // What comes from before Stripe's own servers, as 502 to 504, says nothing of them.
    isOver: status === 500 || neverArrived(error),
    problem: unavailable(error, status === 0 ? 'did not answer' : 'failed'),
  }
}

/** No connection was made that anything could have been sent on. https://man7.org/linux/man-pages/man2/connect.2.html */
function neverArrived({ detail }: Stripe.errors.StripeError): boolean {
  const cause = detail instanceof Error ? detail.cause : undefined
  return cause instanceof Error && 'code' in cause && NOT_CONNECTED.has(cause.code)
}

const NOT_CONNECTED = new Set<unknown>([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
])

/** Whether Stripe said no to what it was asked for: nothing was done, and the same again would be refused again. */
export function isRefused(error: unknown): boolean {
  const cause = error instanceof Problem ? error.cause : undefined
  return cause instanceof Stripe.errors.StripeError && verdictOf(cause).kind === 'refused'
}

/** Whether a read was refused because the object does not exist. */
export function isMissing(error: unknown): boolean {
  return (
    error instanceof Stripe.errors.StripeError &&
    error.statusCode === 404 &&
    error.code === 'resource_missing'
  )
}

/** The same of an item of a subscription, of which Stripe says so without a code. */
export function isItemMissing(error: unknown): boolean {
  return error instanceof Stripe.errors.StripeError && error.statusCode === 404
}

/** The same of what a parameter names, and not the path: Stripe says 400 then. */
export function isAbsent(error: unknown): boolean {
  return error instanceof Stripe.errors.StripeError && error.code === 'resource_missing'
}

/** Whether a call was refused because the customer that it is about does not exist. */
export function isCustomerMissing(error: unknown): boolean {
  if (!(error instanceof Stripe.errors.StripeError) || error.code !== 'resource_missing') return false
  // A part of the body is named; what stands in the path is `id`.
  return error.param === 'customer' || error.param === 'id'
}

/** The id under which Stripe logged the request. Logged and stored, not shown. */
export function requestIdOf(error: unknown): string | null {
  return (error instanceof Stripe.errors.StripeError && error.requestId) || null
}

const NEEDS_CUSTOMER = new Set([
  'authentication_required',
  'invoice_payment_intent_requires_action',
  'subscription_payment_intent_requires_action',
])

function refusal(error: Stripe.errors.StripeError): Problem {
  const [code, detail] = explain(error)
  return new Problem(code, detail, { cause: error })
}

function explain({
  code,
  decline_code,
  param,
  statusCode,
  rawType,
}: Stripe.errors.StripeError): [ProblemCode, string] {
  if (statusCode === 402 || rawType === 'card_error') {
    if (NEEDS_CUSTOMER.has(code ?? '')) {
      return ['payment_action_required', "The customer's bank asks the customer to confirm the payment."]
    }
    return [
      'card_declined',
      `The customer's bank declined the card (${decline_code ?? code ?? 'no reason given'}).`,
    ]
  }
  // Every other missing resource is named by its parameter; this is a charge with nothing to charge.
  if (code === 'resource_missing' && !param) {
    return [
      'payment_method_required',
      'There is something to pay now, and the customer has no payment method.',
    ]
  }
  if (code === 'charge_already_refunded')
    return ['refund_exceeds_payment', 'All of it was given back already.']
  // Used up or past its date: it was valid when the request was checked.
  if (code === 'coupon_expired') return ['coupon_expired', 'The coupon can no longer be redeemed.']
  const which = param ? `${code ?? 'invalid'} (${param})` : (code ?? `status ${statusCode}`)
  return ['provider_refused', `The payment provider refused: ${which}.`]
}

function unavailable(error: Stripe.errors.StripeError, how: string): Problem {
  const asked = Number(error.headers?.['retry-after'])
  const retryAfterSeconds = Number.isFinite(asked) && asked > 0 ? asked : undefined
  return new Problem('provider_unavailable', `The payment provider ${how}.`, {
    cause: error,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  })
}
