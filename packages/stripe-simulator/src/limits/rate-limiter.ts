import { StripeError } from '../errors.ts'
import type { RateLimits } from './rate-limits.ts'
import { RateWindow, RateWindows } from './rate-window.ts'

const SECOND_MS = 1000
const METER_EVENTS = 'POST /v1/billing/meter_events'

/** What Stripe says in the header `Stripe-Rate-Limited-Reason`. https://docs.stripe.com/rate-limits */
export type LimitReason = 'global-rate' | 'endpoint-rate' | 'resource-specific'

/** Refuses the requests that are too many. What is refused does not count. */
export class RateLimiter {
  readonly #global: RateWindow
  readonly #endpoints: RateWindows
  readonly #searches: RateWindow
  readonly #meterEvents: RateWindow | null

  constructor(limits: RateLimits) {
    this.#global = new RateWindow(limits.globalPerSecond, SECOND_MS)
    this.#endpoints = new RateWindows(limits.endpointPerSecond, SECOND_MS)
    this.#searches = new RateWindow(limits.searchPerSecond, SECOND_MS)
    this.#meterEvents =
      limits.meterEventsPerSecond === null ? null : new RateWindow(limits.meterEventsPerSecond, SECOND_MS)
  }

  check({ method, path }: { readonly method: string; readonly path: string }, nowMs: number): void {
    const operation = `${method} ${path}`
    if (operation === METER_EVENTS && this.#meterEvents !== null) {
      if (!this.#meterEvents.hasRoom(nowMs)) throw tooMany('endpoint-rate')
      this.#meterEvents.take(nowMs)
      return
    }
    const own = path.endsWith('/search') ? this.#searches : this.#endpoints.of(operation)
    if (!this.#global.hasRoom(nowMs)) throw tooMany('global-rate')
    if (!own.hasRoom(nowMs)) throw tooMany('endpoint-rate')
    this.#global.take(nowMs)
    own.take(nowMs)
  }
}

/** The 429 of too many requests; the other kind of 429 is a lock. */
export function tooMany(reason: LimitReason): StripeError {
  return new StripeError(
    429,
    {
      type: 'invalid_request_error',
      code: 'rate_limit',
      message:
        'Too many requests hit the API too quickly. We recommend an exponential backoff of your requests.',
    },
    false,
    { 'stripe-rate-limited-reason': reason },
  )
}
