import { expect, test } from 'vitest'
import { newId, newSecret } from './ids.ts'

test('ids are the noun and a ULID, never the same, and sort as they were made', () => {
  const ids = Array.from({ length: 20_000 }, () => newId('customer'))
  for (const id of ids) expect(id).toMatch(/^customer_[0-9a-hjkmnp-tv-z]{26}$/)
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids.toSorted()).toEqual(ids)
})

test('a secret has the bits it is asked for', () => {
  const secrets = Array.from({ length: 2000 }, () => newSecret(256))
  expect(new Set(secrets).size).toBe(secrets.length)
  for (const secret of secrets) expect(secret).toMatch(/^[0-9a-hjkmnp-tv-z]{52}$/)
  // Every one of the 256 bits is set in some and clear in others: 51 full characters and one of a bit.
  for (let place = 1; place < 52; place += 1)
    expect(new Set(secrets.map((text) => text[place])).size).toBe(32)
  expect(new Set(secrets.map((text) => text[0]))).toEqual(new Set(['0', '1']))
})
