import { randomInt } from 'node:crypto'

/** Numbers in [0, 1). Seeded, so that a shuffled or dropped delivery can be replayed. */
export type Random = () => number

/** mulberry32: small, fast, and good enough to shuffle deliveries and to fill ids; never for secrets. */
export function seededRandom(seed: number = randomInt(2 ** 31)): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
