import { createHmac, timingSafeEqual } from 'node:crypto'
import { assert } from '@lockstep/core/assert'

/** What a signed text promises, and by which rules: promises of one version are never taken for those of another. */
type Version = 'preview1' | 'end1' | 'start1'

/** Signs a promise with the first secret. JSON. */
export function signPromise(version: Version, promise: object, secrets: readonly string[]): string {
  const [secret] = secrets
  assert(secret !== undefined, 'there is a secret to sign with')
  const payload = Buffer.from(JSON.stringify(promise)).toString('base64url')
  return [version, payload, macOf(version, payload, secret).toString('base64url')].join('.')
}

/** What a text promises that any of the secrets signed; undefined for every other text. */
export function readPromise(version: Version, token: string, secrets: readonly string[]): unknown {
  const [said, payload, signature, ...more] = token.split('.')
  if (said !== version || payload === undefined || signature === undefined || more.length > 0)
    return undefined
  const given = Buffer.from(signature, 'base64url')
  const isOurs = secrets.some((secret) => {
    const mac = macOf(version, payload, secret)
    return mac.length === given.length && timingSafeEqual(mac, given)
  })
  return isOurs ? JSON.parse(Buffer.from(payload, 'base64url').toString()) : undefined
}

function macOf(version: Version, payload: string, secret: string): Buffer {
  return createHmac('sha256', secret).update(`${version}.${payload}`).digest()
}
