import { Problem } from '@lockstep/core/problem'
import { exportSPKI, type JWTPayload, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { signingKeys } from '../src/http/signing-keys.ts'
import { type UserTokens, userTokens } from '../src/http/user-token.ts'
import {
  AUDIENCE,
  goodClaims,
  ISSUER,
  NOW,
  newIssuer,
  newSigningKey,
  type SigningKey,
  sign,
} from './support/issuer.ts'

const algorithms = ['RS256', 'PS384', 'ES256', 'ES512', 'EdDSA']
const keys: SigningKey[] = []
let issuer: Awaited<ReturnType<typeof newIssuer>>
let verify: UserTokens
const [rsa, elliptic] = [() => keys[0] as SigningKey, () => keys[2] as SigningKey]

/** Waits that no test should see the end of, unless it says otherwise. */
const LONG = 3600

const verifier = (
  url: string,
  { now = NOW, ...options }: { now?: number; refetchSeconds?: number; timeoutMs?: number } = {},
) =>
  userTokens({
    clock: { now: () => now },
    issuer: ISSUER,
    audience: AUDIENCE,
    keys: signingKeys({ url, refetchSeconds: LONG, restSeconds: LONG, ...options }),
  })

beforeAll(async () => {
  for (const alg of algorithms) keys.push(await newSigningKey(`key-${alg}`, alg))
  issuer = await newIssuer(keys)
  verify = verifier(issuer.url)
})
afterAll(() => issuer.close())

const refused = { code: 'unauthorized', status: 401 }

test.each(algorithms)('a token signed with %s says who the user is', async (alg) => {
  const key = keys[algorithms.indexOf(alg)] as SigningKey
  expect(await verify(await sign(key))).toBe('ada')
  expect(await verify(await sign(key, { aud: ['other', AUDIENCE] }, { typ: 'at+jwt' }))).toBe('ada')
})

describe('claims', () => {
  const wrong: [string, JWTPayload][] = [
    ['another issuer', { iss: 'https://login.example' }],
    ['no issuer', { iss: undefined }],
    ['another audience', { aud: 'other' }],
    ['an audience that begins the same', { aud: `${AUDIENCE}.evil` }],
    ['no audience', { aud: undefined }],
    ['no subject', { sub: undefined }],
    ['an empty subject', { sub: '' }],
    ['a subject that is a number', { sub: 7 as never }],
    ['a subject with a line break', { sub: 'a\nb' }],
    ['a subject of 201 characters', { sub: 'x'.repeat(201) }],
    ['no end', { exp: undefined }],
    ['an end that is text', { exp: `${NOW + 60}` as never }],
    ['an end 30 s ago', { exp: NOW - 30 }],
    ['a beginning in 31 s', { nbf: NOW + 31 }],
  ]
  test.each(wrong)('%s is refused', async (_name, claims) => {
    for (const key of [rsa(), elliptic()])
      await expect(verify(await sign(key, claims))).rejects.toMatchObject(refused)
  })

  // 30 seconds of grace both ways: `exp` is the first second that is too late (RFC 7519, 4.1.4).
  test('the clocks may differ by 30 seconds', async () => {
    expect(await verify(await sign(rsa(), { exp: NOW - 29 }))).toBe('ada')
    expect(await verify(await sign(rsa(), { nbf: NOW + 30 }))).toBe('ada')
  })

  test('the clock is the one that was given', async () => {
    const token = await sign(rsa())
    await expect(verifier(issuer.url, { now: NOW + 3600 + 30 })(token)).rejects.toMatchObject(refused)
    expect(await verifier(issuer.url, { now: NOW + 3600 + 29 })(token)).toBe('ada')
  })
})

describe('headers', () => {
  test('none is no algorithm, however it is written', async () => {
    const [, payload] = (await sign(rsa())).split('.')
    for (const alg of ['none', 'None', 'NONE', '', 'nOnE', undefined]) {
      const header = Buffer.from(JSON.stringify({ alg, kid: rsa().kid, typ: 'JWT' })).toString('base64url')
      for (const signature of ['', 'AA', Buffer.alloc(64).toString('base64url')])
        await expect(verify(`${header}.${payload}.${signature}`)).rejects.toMatchObject(refused)
    }
  })

  // The classic confusion: the public key, as everybody can read it, taken for a shared secret.
  test('a public key is no shared secret', async () => {
    for (const key of keys) {
      const secrets = [
        JSON.stringify(key.jwk),
        await exportSPKI(await publicKeyOf(key)),
        (await exportSPKI(await publicKeyOf(key))).trim(),
        String(key.jwk.n ?? key.jwk.x),
      ]
      for (const [at, secret] of secrets.entries()) {
        const bits = [256, 384, 512][at % 3]
        const token = await new SignJWT(goodClaims)
          .setProtectedHeader({ alg: `HS${bits}`, kid: key.kid })
          .sign(new TextEncoder().encode(secret.padEnd(64, '\0')))
        await expect(verify(token)).rejects.toMatchObject(refused)
      }
    }
  })

  test('a key is for its own algorithm, and so is one that does not say which', async () => {
    const key = await newSigningKey('silent', 'RS256')
    const { alg: _, ...silent } = key.jwk
    const own = await newIssuer([{ ...key, jwk: silent }])
    const taking = verifier(own.url)
    expect(await taking(await sign(key))).toBe('ada')
    const as = async (alg: string) => {
      const { importPKCS8, exportPKCS8 } = await import('jose')
      const privateKey = await importPKCS8(await exportPKCS8(key.privateKey), alg)
      return sign({ ...key, alg, privateKey })
    }
    for (const alg of ['RS384', 'RS512', 'PS256', 'PS512'])
      await expect(taking(await as(alg))).rejects.toMatchObject(refused)
    await own.close()
  })

  test('a key is named, and one that the token brings along is not looked at', async () => {
    const stranger = await newSigningKey('stranger', 'ES256')
    const headers = [
      { kid: undefined },
      { kid: 7 },
      { kid: '' },
      { kid: 'stranger' },
      { kid: '../../dev/null' },
      { kid: "x' or 1=1 --" },
      { kid: elliptic().kid, jwk: stranger.jwk },
      { kid: elliptic().kid, jku: 'http://127.0.0.1:1/jwks.json' },
      { kid: elliptic().kid, x5u: 'http://127.0.0.1:1/cert.pem' },
    ]
    for (const header of headers)
      await expect(verify(await sign(stranger, {}, header))).rejects.toMatchObject(refused)
    // Ours, but without the name: with one key it could be guessed, and is not.
    const { privateKey, alg } = elliptic()
    const nameless = new SignJWT(goodClaims).setProtectedHeader({ alg }).sign(privateKey)
    await expect(verify(await nameless)).rejects.toMatchObject(refused)
  })

  test('what an issuer signs for another purpose is no access token', async () => {
    for (const typ of ['logout+jwt', 'dpop+jwt', 'secevent+jwt'])
      await expect(verify(await sign(rsa(), {}, { typ }))).rejects.toMatchObject(refused)
    await expect(verify(await sign(rsa(), { padding: 'x'.repeat(8192) }))).rejects.toMatchObject(refused)
  })
})

describe('keys', () => {
  test('are fetched once for all who come at once, and kept', async () => {
    const own = await newIssuer(keys)
    const taking = verifier(own.url)
    const token = await sign(rsa())
    expect(own.fetches()).toBe(0)
    await Promise.all(Array.from({ length: 20 }, () => taking(token)))
    for (const key of keys) await taking(await sign(key))
    expect(own.fetches()).toBe(1)
    await own.close()
  })

  test('are fetched again for one that is new, and what the issuer took out is taken no more', async () => {
    const own = await newIssuer([rsa()])
    const taking = verifier(own.url, { refetchSeconds: 0 })
    const [before, after] = [await sign(rsa()), await sign(elliptic())]
    expect(await taking(before)).toBe('ada')
    own.publish({ keys: [elliptic().jwk] })
    expect(await taking(after)).toBe('ada')
    expect(own.fetches()).toBe(2)
    await expect(taking(before)).rejects.toMatchObject(refused)
    await own.close()
  })

  test('are not fetched for each of many tokens with an unknown key', async () => {
    const own = await newIssuer([rsa()])
    const taking = verifier(own.url)
    await taking(await sign(rsa()))
    for (let at = 0; at < 50; at += 1)
      await expect(taking(await sign(rsa(), {}, { kid: `unknown-${at}` }))).rejects.toMatchObject(refused)
    expect(own.fetches()).toBe(1)
    await own.close()
  })

  test('that cannot be fetched let nobody in, and are tried again later, not by everybody', async () => {
    const down = { code: 'sign_in_unavailable', status: 503, retryAfterSeconds: 5 }
    const token = await sign(rsa())
    const answers: [unknown, number][] = [
      [{ keys: [] }, 500],
      [{ keys: [rsa().jwk] }, 404],
      [{ keys: [rsa().jwk] }, 302],
      [{ keys: 'none' }, 200],
      ['nothing', 200],
      [{ keys: [], padding: 'x'.repeat(1_000_001) }, 200],
    ]
    for (const [answer, status] of answers) {
      const own = await newIssuer([])
      own.publish(answer, status)
      const taking = verifier(own.url)
      for (let again = 0; again < 5; again += 1) await expect(taking(token)).rejects.toMatchObject(down)
      expect(own.fetches()).toBe(1)
      await own.close()
    }
    const silent = await newIssuer([rsa()])
    silent.hang()
    await expect(verifier(silent.url, { timeoutMs: 50 })(token)).rejects.toMatchObject(down)
    await silent.close()
    const gone = await newIssuer([rsa()])
    await gone.close()
    const error = await verifier(gone.url)(token).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(Problem)
    expect(error).toMatchObject(down)
  })

  test('that are secrets, for encryption, or without a name are none', async () => {
    const secret = new TextEncoder().encode('a secret of the issuer, long enough for HS256')
    const own = await newIssuer([])
    const { kid: _, ...nameless } = elliptic().jwk
    own.publish({
      keys: [
        { kty: 'oct', k: Buffer.from(secret).toString('base64url'), kid: 'shared', alg: 'HS256' },
        { ...rsa().jwk, use: 'enc' },
        nameless,
        null,
        'key',
      ],
    })
    const taking = verifier(own.url)
    const shared = new SignJWT(goodClaims).setProtectedHeader({ alg: 'HS256', kid: 'shared' }).sign(secret)
    for (const token of [await shared, await sign(rsa()), await sign(elliptic())])
      await expect(taking(token)).rejects.toMatchObject(refused)
    await own.close()
  })
})

async function publicKeyOf(key: SigningKey) {
  const { importJWK } = await import('jose')
  return (await importJWK(key.jwk, key.alg, { extractable: true })) as never
}
