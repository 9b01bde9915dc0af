import { randomBytes, randomFillSync } from 'node:crypto'
import { wallMilliseconds } from './clock.ts'

/** Crockford's base 32: no i, l, o, u, so that an id can be read aloud. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
const TIME_CHARS = 10
const RANDOM_CHARS = 16

let lastTime = 0
let lastRandom = new Uint8Array(RANDOM_CHARS)

/**
 * A new id: the noun, then a ULID in lower case, `customer_01j…`. Ids of one process sort in the order
 * in which they were made, even within a millisecond and when the wall clock steps back.
 */
export function newId<const Noun extends string>(noun: Noun): `${Noun}_${string}` {
  const time = Math.max(wallMilliseconds(), lastTime)
  // The last one is never reached in practice: a millisecond starts anywhere among them and counts up from there.
  if (time === lastTime) countUp(lastRandom)
  else lastRandom = drawn()
  lastTime = time
  let text = ''
  for (let rest = time; text.length < TIME_CHARS; rest = Math.floor(rest / 32))
    text = ALPHABET[rest % 32] + text
  for (const digit of lastRandom) text += ALPHABET[digit]
  return `${noun}_${text}`
}

/** Drawn for many ids at once: asking for a few bytes costs more than all else here. */
const pool = new Uint8Array(256 * RANDOM_CHARS)
let used = pool.length

/** Digits of five random bits each. */
function drawn(): Uint8Array<ArrayBuffer> {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += RANDOM_CHARS
  return pool.slice(used - RANDOM_CHARS, used).map((byte) => byte % 32)
}

function countUp(digits: Uint8Array): void {
  for (let i = digits.length - 1; i >= 0; i -= 1) {
    digits[i] = ((digits[i] ?? 0) + 1) % 32
    if (digits[i] !== 0) return
  }
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
