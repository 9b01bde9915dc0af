import type { Random } from './random.ts'

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/**
 * Opaque ids in Stripe's style: a prefix and letters. The counter inside makes them unique even
 * with a seeded generator and across a restart from a state file.
 */
export class Ids {
  counter = 0
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  next(prefix: string, length = prefix === 'cus' || prefix === 'prod' ? 14 : 24): string {
    this.counter++
    let tail = ''
    for (let left = this.counter; left > 0; left = Math.floor(left / 62)) tail += ALPHABET[left % 62]
    tail = tail.padEnd(5, 'A')
    return `${prefix}_1${this.secret(length - 1 - tail.length)}${tail}`
  }

  /** A secret such as `whsec_...` or the tail of a client secret. */
  secret(length: number): string {
    // At once: a text that is put together letter by letter is kept as its pieces.
    const codes: number[] = []
    for (let i = 0; i < length; i++) codes.push(ALPHABET.charCodeAt(Math.floor(this.#random() * 62)))
    return String.fromCharCode(...codes)
  }
}
