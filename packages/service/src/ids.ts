import { randomBytes } from 'node:crypto'
import { wallMilliseconds } from './clock.ts'

/** Crockford's base 32: no i, l, o, u, so that an id can be read aloud. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
const TIME_CHARS = 10
const RANDOM_CHARS = 16
const RANDOM_BITS = 80n

let lastTime = 0
let lastRandom = 0n

/**
 * A new id: the noun, then a ULID in lower case, `customer_01j…`. Ids of one process sort in the order
 * in which they were made, even within a millisecond and when the wall clock steps back.
 */
export function newId<const Noun extends string>(noun: Noun): `${Noun}_${string}` {
  const time = Math.max(wallMilliseconds(), lastTime)
  // 2^80 is never reached in practice: a millisecond starts anywhere in it and counts up from there.
  lastRandom = time === lastTime ? lastRandom + 1n : BigInt(`0x${randomBytes(10).toString('hex')}`)
  lastTime = time
  return `${noun}_${base32(BigInt(time), TIME_CHARS)}${base32(lastRandom % (1n << RANDOM_BITS), RANDOM_CHARS)}`
}

/** `bits` of randomness as text of base 32, for keys and other secrets. */
export function newSecret(bits: number): string {
  const value = BigInt(`0x${randomBytes(Math.ceil(bits / 8)).toString('hex')}`)
  return base32(value, Math.ceil(bits / 5))
}

function base32(value: bigint, chars: number): string {
  let text = ''
  for (let rest = value; text.length < chars; rest >>= 5n) text = ALPHABET[Number(rest & 31n)] + text
  return text
}
