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
    let text = `${prefix}_1`
    for (let i = tail.length + 1; i < length; i++) text += ALPHABET[Math.floor(this.#random() * 62)]
    return text + tail
  }

  /** A secret such as `whsec_...` or the tail of a client secret. */
  secret(length: number): string {
    let text = ''
    for (let i = 0; i < length; i++) text += ALPHABET[Math.floor(this.#random() * 62)]
    return text
  }
}
