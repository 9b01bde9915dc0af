import { createHmac } from 'node:crypto'
import { exportSPKI, importJWK } from 'jose'
import type { Random } from '../../../../test/support/random.ts'
import { goodClaims, newSigningKey, type SigningKey, sign } from './issuer.ts'

/** A token that must not be accepted, and how it was made, to be found again. */
export interface Mutant {
  readonly how: string
  readonly token: string
}

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const ALPHABET = [...BASE64URL.split(''), '.', '=', '+', '/', ' ', '%', 'é', '\0']
const ALGORITHMS =
  'none None NONE HS256 HS384 HS512 RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES256K ES384 ES512 EdDSA Ed25519 dir RSA1_5 A128KW'.split(
    ' ',
  )
const KEY_IDS = [
  '',
  '0',
  '../../../dev/null',
  "' or '1'='1",
  '__proto__',
  'constructor',
  '*',
  'http://127.0.0.1:1/',
]

const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const decoded = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString()) as object

type Parts = [header: string, payload: string, signature: string]
type Way = (parts: Parts, random: Random) => string

/** Writing: every text that is near a good one. */
const textual: Record<string, Way> = {
  'one character is another': (parts, random) => {
    const text = parts.join('.')
    const at = random.below(text.length)
    const other = random.pick(ALPHABET.filter((character) => character !== text[at]))
    return text.slice(0, at) + other + text.slice(at + 1)
  },
  'one character is missing': (parts, random) => {
    const text = parts.join('.')
    const at = random.below(text.length)
    return text.slice(0, at) + text.slice(at + 1)
  },
  'one character is added': (parts, random) => {
    const text = parts.join('.')
    const at = random.below(text.length + 1)
    return text.slice(0, at) + random.pick(ALPHABET) + text.slice(at)
  },
  'it ends early': (parts, random) => {
    const text = parts.join('.')
    return text.slice(0, random.below(text.length))
  },
  'a part is empty': (parts, random) => {
    const at = random.below(3)
    return parts.map((part, index) => (index === at ? '' : part)).join('.')
  },
  'the parts stand in another order': (parts, random) => {
    const shuffled = random.shuffle(parts)
    return (shuffled.join() === parts.join() ? parts.toReversed() : shuffled).join('.')
  },
  'there are more or fewer parts': (parts, random) =>
    random.pick([parts.slice(0, 2), [...parts, parts[2]], [...parts, '', ''], [parts[0]]]).join('.'),
}

/** Meaning: another header or other claims under a signature that was for something else. */
const meant: Record<string, Way> = {
  'another algorithm': ([header, ...rest], random) => {
    const { alg: own } = decoded(header) as { alg: string }
    const alg = random.pick(ALGORITHMS.filter((one) => one !== own))
    return [encoded({ ...decoded(header), alg }), ...rest].join('.')
  },
  'another key id': ([header, ...rest], random) =>
    [encoded({ ...decoded(header), kid: random.pick(KEY_IDS) }), ...rest].join('.'),
  'more in the header': ([header, ...rest], random) => {
    const more = random.pick([
      { jku: 'http://127.0.0.1:1/jwks.json' },
      { x5u: 'http://127.0.0.1:1/cert.pem' },
      { crit: ['exp'], exp: 1 },
      { crit: ['b64'], b64: false },
      { zip: 'DEF' },
      { typ: 'logout+jwt' },
    ])
    return [encoded({ ...decoded(header), ...more }), ...rest].join('.')
  },
  'other claims': ([header, payload, signature], random) => {
    const more = random.pick([
      { sub: 'mallory' },
      { sub: `ada${random.below(1000)}` },
      { exp: (goodClaims.exp ?? 0) + 1 + random.below(1e6) },
      { aud: ['billing.example', 'more'] },
      { iat: random.below(1e9) },
      { admin: true },
    ])
    return [header, encoded({ ...decoded(payload), ...more }), signature].join('.')
  },
  'the signature is zero': ([header, payload, signature]) => {
    const bytes = Buffer.from(signature, 'base64url').length
    return [header, payload, Buffer.alloc(bytes).toString('base64url')].join('.')
  },
  'the signature is noise': ([header, payload, signature], random) => {
    const bytes = Buffer.from(signature, 'base64url').map(() => random.below(256))
    return [header, payload, Buffer.from(bytes).toString('base64url')].join('.')
  },
}

const now = goodClaims.iat as number

/** Claims that no signature makes good. */
const badClaims = [
  { exp: now - 3600 },
  { exp: undefined },
  { nbf: now + 7200 },
  { iss: 'https://login.example.evil/' },
  { aud: 'other' },
  { aud: undefined },
  { sub: undefined },
  { sub: '' },
  { sub: ['ada'] as never },
]

/** So many of them, the same for the same seed but for the keys. Evenly of every way. */
export async function* mutants(
  keys: readonly SigningKey[],
  random: Random,
  count: number,
): AsyncGenerator<Mutant> {
  const good = await Promise.all(keys.flatMap((key) => ['ada', 'bob'].map((sub) => sign(key, { sub }))))
  const forged = await forgeries(keys)
  const ways = Object.entries({ ...textual, ...meant })
  for (let made = 0; made < count; made += 1) {
    const way = ways[made % (ways.length + 2)]
    if (way) {
      const parts = random.pick(good).split('.') as Parts
      yield { how: way[0], token: way[1](parts, random) }
    } else if (made % 2 === 0) {
      const [a, b] = [random.pick(good), random.pick(good)].map((token) => token.split('.') as Parts)
      const [header, payload, signature] = [a?.[0], b?.[1], a?.[2]]
      // Of one and the same token it would be that token.
      yield a?.[1] === b?.[1]
        ? { how: 'no signature', token: `${header}.${payload}.` }
        : { how: 'claims of another token', token: `${header}.${payload}.${signature}` }
    } else yield random.pick(forged)
  }
}

/** Well signed, but by the wrong key, in the wrong way, or for the wrong claims. */
async function forgeries(keys: readonly SigningKey[]): Promise<Mutant[]> {
  const forged: Mutant[] = []
  for (const key of keys) {
    const own = await newSigningKey(key.kid, key.alg)
    forged.push({ how: 'a key of the same name', token: await sign(own) })
    forged.push({ how: 'a key that it brings along', token: await sign(own, {}, { jwk: own.jwk }) })
    forged.push({ how: 'a key that nobody publishes', token: await sign(own, {}, { kid: 'own' }) })
    for (const claims of badClaims)
      forged.push({ how: `claims ${JSON.stringify(claims)}`, token: await sign(key, claims) })
    const pem = await exportSPKI((await importJWK(key.jwk, key.alg, { extractable: true })) as never)
    for (const secret of [pem, pem.trim(), JSON.stringify(key.jwk), ''])
      for (const [alg, hash] of [
        ['HS256', 'sha256'],
        ['HS512', 'sha512'],
      ] as const) {
        const signed = `${encoded({ alg, kid: key.kid })}.${encoded(goodClaims)}`
        const signature = createHmac(hash, secret).update(signed).digest('base64url')
        forged.push({ how: `${alg} with the public key`, token: `${signed}.${signature}` })
      }
    const unsigned = `${encoded({ alg: 'none', kid: key.kid })}.${encoded(goodClaims)}.`
    forged.push({ how: 'unsigned', token: unsigned })
    forged.push({
      how: 'unsigned within',
      token: `${encoded({ alg: key.alg, kid: key.kid, cty: 'JWT' })}.${encoded(unsigned)}.AA`,
    })
  }
  return forged
}
