import { AsyncLocalStorage } from 'node:async_hooks'
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import Stripe from 'stripe'
import { CannotStart } from '../../cannot-start.ts'
import { assertOutsideTransaction } from '../../postgres/transaction.ts'
import type { Limiter } from './limiter.ts'
import { NotSent } from './problems.ts'

/** What every object here is rendered in. The types of the library know only this one. */
export const API_VERSION = '2026-10-28.endive'

export const STRIPE_BASE = 'https://api.stripe.com'

/** No caller waits longer for one answer; afterwards the outcome is unknown and has to be looked up. */
export const TIMEOUT_MS = 15_000

export interface StripeAccess {
  readonly apiKey: string
  /** Where Stripe is: its own address, or a simulator's. */
  readonly apiBase: string
}

export interface ClientOptions {
  readonly limiter?: Limiter | undefined
  readonly timeoutMs?: number | undefined
}

/** Whether a key moves real money. */
export function isLiveKey(apiKey: string): boolean {
  return /^(sk|rk)_live_/.test(apiKey)
}

/** Whether the address is Stripe's own, and not a simulator's. */
export function isStripeItself(apiBase: string): boolean {
  return new URL(apiBase).origin === STRIPE_BASE
}

/**
 * The `stripe` package, set up so that it decides nothing by itself: one API version, no retries of
 * its own, every request through the limiter and never inside a database transaction.
 */
export function makeStripe({ apiKey, apiBase }: StripeAccess, options: ClientOptions = {}): Stripe {
  if (isLiveKey(apiKey) && !isStripeItself(apiBase)) {
    throw new CannotStart(
      `STRIPE_API_KEY is a live key, but STRIPE_API_BASE is ${new URL(apiBase).host}.`,
      'Use a test key (sk_test_…) with a simulator, or leave STRIPE_API_BASE out to reach Stripe.',
    )
  }
  const { protocol, hostname, port } = new URL(apiBase)
  const secure = protocol === 'https:'
  return new Stripe(apiKey, {
    apiVersion: API_VERSION,
    protocol: secure ? 'https' : 'http',
    host: hostname,
    port: port === '' ? (secure ? 443 : 80) : Number(port),
    timeout: options.timeoutMs ?? TIMEOUT_MS,
    // Whether a POST may be sent again depends on what is recorded of it: call.ts decides.
    maxNetworkRetries: 0,
    telemetry: false,
    appInfo: { name: 'Lockstep', url: 'https://github.com/lockstep-billing/lockstep' },
    httpClient: guarded(new (secure ? HttpsAgent : HttpAgent)({ keepAlive: true }), options.limiter),
  })
}

const lastChecks = new AsyncLocalStorage<() => Promise<void>>()

/**
 * Has `check` asked of each of `send`'s requests that changes something, at the last moment: when its turn at the
 * limiter has come, however long that took. What it throws keeps the request from being sent.
 */
export function checkedLast<T>(check: () => Promise<void>, send: () => Promise<T>): Promise<T> {
  return lastChecks.run(check, send)
}

/** Around the library's own client, because here each request passes: also every page of a list. */
function guarded(
  agent: HttpAgent,
  limiter: Limiter | undefined,
): ReturnType<typeof Stripe.createNodeHttpClient> {
  const inner = Stripe.createNodeHttpClient(agent)
  return {
    getClientName: () => inner.getClientName(),
    makeRequest: async (...request) => {
      try {
        assertOutsideTransaction()
        const [, , path, method] = request
        await limiter?.take(endpointOf(method, path))
        if (method !== 'GET') await lastChecks.getStore()?.()
      } catch (error) {
        throw new NotSent(error)
      }
      try {
        return await inner.makeRequest(...request)
      } catch (error) {
        // Under its own name: the library repeats what ends in ECONNRESET even when told not to.
        throw new Error('The connection to Stripe broke.', { cause: error })
      }
    },
  }
}

/** The first parts of ids that stand in paths. Names of resources have an underscore, too. */
const ID = /\/(?:acct|ch|clock|cus|evt|ii|il|in|inpay|pi|pm|price|prod|promo|py|re|seti|si|sub|we)_\w+/g

/** Stripe counts by operation, whatever the id: `POST /v1/customers/cus_1` is `POST /v1/customers/:id`. */
export function endpointOf(method: string, path: string): string {
  return `${method} ${(path.split('?')[0] ?? path).replace(ID, '/:id')}`
}
