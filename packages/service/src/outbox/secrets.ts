import { randomBytes } from 'node:crypto'
import type { Instant } from '@lockstep/core/instant'
import { seal, unseal } from '../seal.ts'
import type { SealedSecret } from '../store/schema/outbox.ts'

/** Standard Webhooks asks for 24 to 64 bytes. */
const BYTES = 32

/** How Standard Webhooks writes a symmetric secret. */
export const newWebhookSecret = (): string => `whsec_${randomBytes(BYTES).toString('base64')}`

/** Sealed so that the database alone does not sign in our name: by LOCKSTEP_SECRETS, for this endpoint only. */
export function sealSecret(secret: string, keys: readonly string[], endpointId: string): string {
  const [newest] = keys
  if (newest === undefined) throw new Error('There is no secret to seal with.')
  return seal(secret, newest, endpointId)
}

/**
 * The secrets that hold, newest first: while one is being replaced, both sign. One that was replaced because none of
 * the keys opens it cannot sign any more, and need not. Throws when the newest cannot be opened.
 */
export function secretsAt(
  secrets: readonly SealedSecret[],
  keys: readonly string[],
  endpointId: string,
  at: Instant,
): string[] {
  return secrets
    .filter(({ until }) => until === null || until > at)
    .flatMap(({ sealed, until }) => {
      try {
        return [unseal(sealed, keys, endpointId)]
      } catch (error) {
        if (until === null) throw error
        return []
      }
    })
}

/** A new one in front; those before it hold for the overlap, and none longer than it was to. */
export function rotated(
  secrets: readonly SealedSecret[],
  sealed: string,
  at: Instant,
  overlapSeconds: number,
): SealedSecret[] {
  const last = at + overlapSeconds
  const former = secrets
    .map((secret) => ({ ...secret, until: Math.min(secret.until ?? last, last) }))
    .filter(({ until }) => until > at)
  return [{ sealed, until: null }, ...former]
}
