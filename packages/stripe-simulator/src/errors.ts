/** The inner part of Stripe's error envelope. https://docs.stripe.com/api/errors */
export interface ErrorBody {
  type: 'invalid_request_error' | 'card_error' | 'api_error' | 'idempotency_error'
  message: string
  code?: string
  param?: string
  decline_code?: string
  [extra: string]: unknown
}

/**
 * A refusal in Stripe's words. `keep` says that what the request did before it was refused stays done:
 * a declined payment is recorded and then answered with 402.
 */
export class StripeError extends Error {
  readonly status: number
  readonly body: ErrorBody
  readonly keep: boolean
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, body: ErrorBody, keep = false, headers = {}) {
    super(body.message)
    this.status = status
    this.body = body
    this.keep = keep
    this.headers = headers
  }
}

export function invalid(message: string, param?: string, code?: string): StripeError {
  return new StripeError(400, {
    type: 'invalid_request_error',
    message,
    ...(code === undefined ? {} : { code }),
    ...(param === undefined ? {} : { param }),
  })
}

/** An id in the path answers 404 with `param: id`; an id in the body answers 400 with its bracket path. */
export function missing(noun: string, id: string, param?: string): StripeError {
  return new StripeError(param === undefined ? 404 : 400, noSuch(noun, id, param ?? 'id'))
}

/** What answers 404 all the same, wherever its id stands. */
export function nowhere(noun: string, id: string, param: string): StripeError {
  return new StripeError(404, noSuch(noun, id, param))
}

/** A 404 that says nothing but its message. */
export function notFound(message: string): StripeError {
  return new StripeError(404, { type: 'invalid_request_error', message })
}

function noSuch(noun: string, id: string, param: string): ErrorBody {
  return {
    type: 'invalid_request_error',
    code: 'resource_missing',
    message: `No such ${noun}: '${id}'`,
    param,
  }
}

/** What Stripe has and the simulator has not: said aloud, never silently accepted. */
export function gap(what: string, param?: string): StripeError {
  return invalid(`The simulator does not implement ${what}.`, param, 'simulator_gap')
}

/** The envelope as sent. Documentation and log addresses are given for errors that have a code. */
export function envelope(body: ErrorBody, requestId: string): { error: ErrorBody } {
  return {
    error: {
      ...body,
      ...(body.code === undefined ? {} : { doc_url: docUrl(body.code) }),
      request_log_url: `https://dashboard.stripe.com/test/logs/${requestId}`,
    },
  }
}

/** Stripe's page about a code. */
export function docUrl(code: string): string {
  return `https://stripe.com/docs/error-codes/${code.replaceAll('_', '-')}`
}
