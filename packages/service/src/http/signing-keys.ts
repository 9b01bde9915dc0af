import { Problem } from '@lockstep/core/problem'
import { createRemoteJWKSet, customFetch, errors, type JWK, type JWTVerifyGetKey } from 'jose'

export interface SigningKeysOptions {
  /** Where the issuer publishes its keys (RFC 7517). */
  readonly url: string
  /** After they were fetched, an unknown key id has them fetched again this much later at the earliest. */
  readonly refetchSeconds?: number
  /** After a fetch that failed nobody tries for so long: whoever asks meanwhile has the same answer. */
  readonly restSeconds?: number
  /** So long an issuer may take to answer. */
  readonly timeoutMs?: number
}

/** An issuer takes a key out by not publishing it any more: so long we may go on taking it. */
const KEEP_SECONDS = 600
const MOST_CHARS = 1_000_000

/**
 * The issuer's public keys, fetched when first needed, kept for ten minutes, and fetched again for a key
 * id that is not among them. While they cannot be fetched nobody is let in: what cannot be verified is
 * neither accepted nor called invalid, but refused as `sign_in_unavailable`.
 */
export function signingKeys({
  url,
  refetchSeconds = 30,
  restSeconds = 2,
  timeoutMs = 5000,
}: SigningKeysOptions): JWTVerifyGetKey {
  let restUntil = 0
  let last: Problem | undefined
  const published = createRemoteJWKSet(new URL(url), {
    timeoutDuration: timeoutMs,
    cooldownDuration: refetchSeconds * 1000,
    cacheMaxAge: Math.max(KEEP_SECONDS, refetchSeconds) * 1000,
    [customFetch]: async (address, options) => {
      if (last && performance.now() < restUntil) throw last
      try {
        return Response.json({ keys: await fetchKeys(address, options) })
      } catch (cause) {
        restUntil = performance.now() + restSeconds * 1000
        last = unavailable(cause)
        throw last
      }
    },
  })
  return async (header, token) => {
    // Without its id a key would be guessed.
    if (typeof header?.kid !== 'string') throw new errors.JWKSNoMatchingKey()
    return published(header, token)
  }
}

async function fetchKeys(url: string, options: RequestInit): Promise<JWK[]> {
  const response = await fetch(url, options)
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}.`)
  const text = await response.text()
  if (text.length > MOST_CHARS) throw new Error(`${url} answered ${text.length} characters.`)
  const { keys } = JSON.parse(text) as { keys?: unknown }
  if (!Array.isArray(keys)) throw new Error(`${url} answered no key set.`)
  return keys.flatMap((key: unknown) => {
    const usable = usableKey(key)
    return usable ? [usable] : []
  })
}

/**
 * A key with the one algorithm it is for (OWASP ASVS 9.1.2): its own word, or the one that is usual for
 * its kind. So a token never chooses how its signature is looked at. Secrets shared with the issuer are
 * no keys here, nor is what has no id.
 */
function usableKey(key: unknown): JWK | undefined {
  if (typeof key !== 'object' || key === null) return undefined
  const jwk = key as JWK
  if (typeof jwk.kid !== 'string' || jwk.kty === 'oct' || (jwk.use ?? 'sig') !== 'sig') return undefined
  const alg = jwk.alg ?? usual[jwk.kty === 'RSA' ? 'RSA' : `${jwk.crv}`]
  return typeof alg === 'string' ? { ...jwk, alg } : undefined
}

const usual: Readonly<Record<string, string>> = {
  RSA: 'RS256',
  'P-256': 'ES256',
  'P-384': 'ES384',
  'P-521': 'ES512',
  Ed25519: 'EdDSA',
}

const unavailable = (cause: unknown) =>
  new Problem('sign_in_unavailable', 'The keys of the token issuer cannot be fetched. Try again.', {
    cause,
    retryAfterSeconds: 5,
  })
