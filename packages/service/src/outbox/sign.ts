import { createHmac } from 'node:crypto'
import type { Instant } from '@lockstep/core/instant'

export interface Signable {
  readonly id: string
  readonly at: Instant
  readonly body: string
}

/**
 * The headers of Standard Webhooks, with a signature for each secret that holds:
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function signedHeaders(message: Signable, secrets: readonly string[]): Record<string, string> {
  return {
    'webhook-id': message.id,
    'webhook-timestamp': String(message.at),
    'webhook-signature': secrets.map((secret) => signature(message, secret)).join(' '),
  }
}

function signature({ id, at, body }: Signable, secret: string): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  return `v1,${createHmac('sha256', key).update(`${id}.${at}.${body}`).digest('base64')}`
}
