import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose'

export const ISSUER = 'https://login.example/'
export const AUDIENCE = 'billing.example'
/** 2026-11-26T12:00:00Z: the tests' tokens are of that hour. */
export const NOW = Date.UTC(2026, 10, 26, 12) / 1000

export interface SigningKey {
  readonly kid: string
  readonly alg: string
  readonly privateKey: CryptoKey
  readonly jwk: JWK
}

export async function newSigningKey(kid: string, alg: string): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } }
}

/** The sign-in of an application: publishes keys at an address, and signs tokens with them. */
export async function newIssuer(keys: readonly SigningKey[]) {
  let published: unknown = { keys: keys.map(({ jwk }) => jwk) }
  let status = 200
  let fetches = 0
  let hanging = false
  const server = createServer((_, response) => {
    fetches += 1
    if (hanging) return
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(published))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`,
    fetches: () => fetches,
    publish: (next: unknown, answering = 200) => {
      published = next
      status = answering
    },
    hang: () => {
      hanging = true
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** What a good token says, valid for an hour around {@link NOW}. */
export const goodClaims: JWTPayload = {
  iss: ISSUER,
  aud: AUDIENCE,
  sub: 'ada',
  iat: NOW - 60,
  exp: NOW + 3600,
}

export function sign(key: SigningKey, claims: JWTPayload = {}, header: Record<string, unknown> = {}) {
  return new SignJWT({ ...goodClaims, ...claims })
    .setProtectedHeader({ alg: key.alg, kid: key.kid, ...header } as { alg: string })
    .sign(key.privateKey)
}
