import { afterAll, beforeAll, expect, test } from 'vitest'
import { seeded } from '../../../test/support/random.ts'
import { signingKeys } from '../src/http/signing-keys.ts'
import { userTokens } from '../src/http/user-token.ts'
import { AUDIENCE, ISSUER, NOW, newIssuer, newSigningKey, type SigningKey, sign } from './support/issuer.ts'
import { mutants } from './support/token-mutants.ts'

const MUTANTS = 12_000
const SEED = 20_261_126

let keys: SigningKey[]
let issuer: Awaited<ReturnType<typeof newIssuer>>
beforeAll(async () => {
  keys = await Promise.all([
    newSigningKey('1', 'RS256'),
    newSigningKey('2', 'ES256'),
    newSigningKey('3', 'EdDSA'),
  ])
  issuer = await newIssuer(keys)
})
afterAll(() => issuer.close())

test(`of ${MUTANTS} tokens that were tampered with none is accepted, and none breaks anything`, async () => {
  const verify = userTokens({
    clock: { now: () => NOW },
    issuer: ISSUER,
    audience: AUDIENCE,
    keys: signingKeys({ url: issuer.url }),
  })
  for (const key of keys) expect(await verify(await sign(key))).toBe('ada')
  const ways = new Map<string, number>()
  const wrong: string[] = []
  for await (const { how, token } of mutants(keys, seeded(SEED), MUTANTS)) {
    ways.set(how, (ways.get(how) ?? 0) + 1)
    const outcome = await verify(token).then(
      (user) => `accepted as ${user}`,
      (error: { code?: string }) => error.code,
    )
    if (outcome !== 'unauthorized') wrong.push(`${how}: ${outcome}: ${token}`)
  }
  expect(wrong.slice(0, 5)).toEqual([])
  expect(ways.size).toBe(29)
  expect([...ways.values()].reduce((sum, count) => sum + count, 0)).toBe(MUTANTS)
})
