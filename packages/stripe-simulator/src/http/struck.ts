import { StripeError } from '../errors.ts'
import type { Fault } from '../faults/fault.ts'
import { tooMany } from '../limits/rate-limiter.ts'
import type { Answer } from './api.ts'

/** Throws the refusal of a fault that lets nothing begin. */
export function refuseBefore({ kind }: Fault): void {
  if (kind === 'rate_limit') throw tooMany('global-rate')
  if (kind === 'lock_timeout') {
    throw new StripeError(429, {
      type: 'invalid_request_error',
      code: 'lock_timeout',
      message:
        'This object cannot be accessed right now because another API request or Stripe process is currently accessing it. If you see this error intermittently, retry the request. If you see this error frequently and are making multiple concurrent requests to a single object, make your requests serially or at a lower rate. For more details, see https://stripe.com/docs/rate-limits#object-lock-timeouts.',
    })
  }
}

/** Whether a fault fails the endpoint itself, and whether its 500 is then the answer of its idempotency key. */
export function failureOf({ kind }: Fault): 'stored' | 'not stored' | undefined {
  if (kind === 'error_500_stored') return 'stored'
  return kind === 'error_500' || kind === 'timeout_before_commit' ? 'not stored' : undefined
}

export function failure(): StripeError {
  return new StripeError(500, {
    type: 'api_error',
    message:
      "An unknown error occurred while processing your request. Your request may or may not have been processed. It's on Stripe's side.",
  })
}

/** How a fault breaks the connection, if it does. */
export function breakOf({ kind }: Fault): Answer['broken'] {
  if (kind === 'timeout_before_commit' || kind === 'timeout_after_commit') return 'closed'
  return kind === 'truncated' ? 'truncated' : undefined
}
