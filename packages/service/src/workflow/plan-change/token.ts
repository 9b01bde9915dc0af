import { createHmac, timingSafeEqual } from 'node:crypto'
import { assert } from '@lockstep/core/assert'
import type { Instant } from '@lockstep/core/instant'

/** What a preview promises: carried out within the hour, it is done exactly as shown. */
export interface PreviewPromise {
  readonly subscription: string
  /** Of the wish: {@link hashOfWish}. */
  readonly wish: string
  /** Prorations are computed as of this moment. */
  readonly prorationDate: Instant
  /** Of everything that the amounts were computed from: {@link fingerprintOf}. */
  readonly fingerprint: string
  /** In the customer's own time. */
  readonly expiresAt: Instant
}

const VERSION = 'preview1'

/** Signs a promise with the first secret. */
export function signPreview(promise: PreviewPromise, secrets: readonly string[]): string {
  const [secret] = secrets
  assert(secret !== undefined, 'there is a secret to sign with')
  const payload = Buffer.from(JSON.stringify(promise)).toString('base64url')
  return [VERSION, payload, macOf(payload, secret).toString('base64url')].join('.')
}

/** The promise of a token that any of the secrets signed; undefined for every other text. */
export function readPreview(token: string, secrets: readonly string[]): PreviewPromise | undefined {
  const [version, payload, signature, ...more] = token.split('.')
  if (version !== VERSION || payload === undefined || signature === undefined || more.length > 0)
    return undefined
  const given = Buffer.from(signature, 'base64url')
  const isOurs = secrets.some((secret) => {
    const mac = macOf(payload, secret)
    return mac.length === given.length && timingSafeEqual(mac, given)
  })
  return isOurs ? (JSON.parse(Buffer.from(payload, 'base64url').toString()) as PreviewPromise) : undefined
}

function macOf(payload: string, secret: string): Buffer {
  return createHmac('sha256', secret).update(`${VERSION}.${payload}`).digest()
}
