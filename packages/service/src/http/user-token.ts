import { externalId } from '@lockstep/api/ids'
import { Problem } from '@lockstep/core/problem'
import { errors, type JWTVerifyGetKey, jwtVerify } from 'jose'
import type { Clock } from '../clock.ts'

/** Answers the application's own id of the user whose token it is, or refuses it. */
export type UserTokens = (token: string) => Promise<string>

export interface UserTokenOptions {
  readonly clock: Clock
  readonly issuer: string
  readonly audience: string
  readonly keys: JWTVerifyGetKey
}

/** Public-key signatures only: with a shared secret whoever verifies could also sign. */
const ALGORITHMS = 'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519'.split(' ')

/** What an access token says it is (RFC 9068, RFC 7519); an issuer signs other things as well, a log-out for example. */
const TYPES = ['jwt', 'at+jwt', 'application/at+jwt']

/** The issuer's clock and ours may differ by so much. */
const CLOCK_SKEW_SECONDS = 30
const MOST_CHARS = 8192

/**
 * Base64url as it is written in one way only (RFC 4648, 3.5): the last character of a signature has bits
 * that decoders ignore, and a token that was tampered with there is tampered with.
 */
const isCanonical = (part: string): boolean => Buffer.from(part, 'base64url').toString('base64url') === part

/** Three parts between dots: no API key has that shape. */
export const looksLikeToken = (secret: string): boolean => secret.split('.').length === 3

/**
 * Verifies tokens (RFC 7519) of the application's sign-in, by RFC 8725: signed by a key that the issuer
 * publishes, with that key's algorithm, for this audience, running now, with a subject.
 */
export function userTokens({ clock, issuer, audience, keys }: UserTokenOptions): UserTokens {
  return async (token) => {
    if (token.length > MOST_CHARS) throw refusal('It is too long.')
    if (!token.split('.').every(isCanonical)) throw refusal('It is not written as tokens are.')
    try {
      const { payload, protectedHeader } = await jwtVerify(token, keys, {
        issuer,
        audience,
        algorithms: ALGORITHMS,
        currentDate: new Date(clock.now() * 1000),
        clockTolerance: CLOCK_SKEW_SECONDS,
        requiredClaims: ['iss', 'aud', 'sub', 'exp'],
      })
      if (!TYPES.includes((protectedHeader.typ ?? 'JWT').toLowerCase()))
        throw refusal('It is no access token.')
      const subject = externalId.safeParse(payload.sub)
      if (!subject.success) throw refusal('Its claim sub is no id of a user.')
      return subject.data
    } catch (error) {
      throw error instanceof errors.JOSEError ? refusal(reasonOf(error)) : error
    }
  }
}

const refusal = (reason: string) =>
  new Problem('unauthorized', `The token in the Authorization header is not accepted. ${reason}`)

/** What helps a developer and tells nobody how to sign. */
function reasonOf(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired) return 'It has expired.'
  if (error instanceof errors.JWTClaimValidationFailed) return `Its claim ${error.claim} does not hold.`
  return 'It is not signed by a key of the issuer.'
}
