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
    return this.#text(`${prefix}_1`, length - 1 - tail.length, tail)
  }

  /** A secret such as `whsec_...` or the tail of a client secret. */
  secret(length: number): string {
    return this.#text('', length, '')
  }

  /** Letters by chance between two texts. At once: what is put together of pieces is kept as its pieces. */
  #text(before: string, length: number, after: string): string {
    const codes: number[] = []
    for (let i = 0; i < before.length; i++) codes.push(before.charCodeAt(i))
    for (let i = 0; i < length; ) {
      // One number is enough for five letters: 62 to the fifth is less than 2 to the 32nd.
      let left = Math.floor(this.#random() * 62 ** 5)
      for (let five = 0; five < 5 && i < length; five++, i++) {
        codes.push(ALPHABET.charCodeAt(left % 62))
        left = Math.floor(left / 62)
      }
    }
    for (let i = 0; i < after.length; i++) codes.push(after.charCodeAt(i))
    return String.fromCharCode(...codes)
  }
}
