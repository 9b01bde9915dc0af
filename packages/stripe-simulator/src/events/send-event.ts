import { wallMillis, wallNow } from '../clock.ts'
import type { EventRow, WebhookEndpointRow } from '../rows.ts'
import type { World } from '../world.ts'
import type { AttemptLog } from './attempt-log.ts'
import { signatureHeader } from './signature.ts'

/** Letters of an answer that are kept for people. */
const SHOWN_LENGTH = 500

/**
 * Sends an event once, in the endpoint's version and freshly signed. True when a 2xx came within `timeoutMs`; a
 * redirect is a failure. https://docs.stripe.com/webhooks
 */
export async function sendEvent(
  world: World,
  event: EventRow,
  endpoint: WebhookEndpointRow,
  timeoutMs: number,
  attempts: AttemptLog,
): Promise<boolean> {
  const current = world.events.must(event.id)
  const version = endpoint.api_version ?? event.api_version
  const body = JSON.stringify({
    ...world.render(current),
    api_version: version,
    data: world.eventData(current, version),
  })
  const began = wallMillis()
  const log = (status: number | null, answer: string) =>
    attempts.add({
      event: event.id,
      endpoint: endpoint.id,
      at: Math.floor(began / 1000),
      ms: wallMillis() - began,
      status,
      answer: answer.slice(0, SHOWN_LENGTH),
    })
  try {
    const response = await fetch(endpoint.url, {
      method: 'POST',
      redirect: 'manual',
      headers: {
        'content-type': 'application/json; charset=utf-8',
        'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
        'stripe-signature': signatureHeader(endpoint.own.secret, body, wallNow()),
      },
      body,
      signal: AbortSignal.timeout(timeoutMs),
    })
    log(response.status, await response.text())
    return response.status >= 200 && response.status < 300
  } catch (error) {
    // Refused, reset or too slow: all the same to the sender.
    log(null, reasonOf(error))
    return false
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? error.cause.message : error.message
}
