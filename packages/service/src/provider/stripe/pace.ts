import { setTimeout as delay } from 'node:timers/promises'

/** Waiting and chance, from outside: a test waits for nothing and throws its own dice. */
export interface Pace {
  wait(milliseconds: number): Promise<void>
  /** Evenly from 0 up to, not including, 1. */
  random(): number
}

export const realPace: Pace = {
  wait: (milliseconds) => delay(milliseconds),
  random: () => Math.random(),
}

/** Doubles with every try and then varies between nothing and all of it, so that a crowd disperses. */
export function backoff(
  { random }: Pick<Pace, 'random'>,
  tries: number,
  firstMs: number,
  mostMs: number,
): number {
  return random() * Math.min(mostMs, firstMs * 2 ** Math.min(tries, 30))
}
