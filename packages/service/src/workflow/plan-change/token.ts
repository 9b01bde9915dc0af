import type { Instant } from '@lockstep/core/instant'
import { readPromise, signPromise } from '../signed.ts'

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

/** Signs a promise with the first secret. */
export function signPreview(promise: PreviewPromise, secrets: readonly string[]): string {
  return signPromise('preview1', promise, secrets)
}

/** The promise of a token that any of the secrets signed; undefined for every other text. */
export function readPreview(token: string, secrets: readonly string[]): PreviewPromise | undefined {
  return readPromise('preview1', token, secrets) as PreviewPromise | undefined
}
