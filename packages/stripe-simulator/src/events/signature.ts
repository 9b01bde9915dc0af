import { createHmac } from 'node:crypto'

/**
 * The `Stripe-Signature` header of a body: HMAC-SHA256 of the time and the raw bytes under the whole
 * secret text. https://docs.stripe.com/webhooks#verify-manually
 */
export function signatureHeader(secret: string, body: string, at: number): string {
  const v1 = createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')
  return `t=${at},v1=${v1}`
}
