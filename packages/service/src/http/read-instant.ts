import { type Instant, parseInstant } from '@lockstep/core/instant'

/** A moment of a request. Its schema has seen that it is one: what is none may not pass for one that was left out. */
export function readInstant(text: string): Instant {
  const at = parseInstant(text)
  if (at === undefined) throw new Error(`The schema let through what is no moment: ${text}`)
  return at
}

/** One that may be left out. */
export const readInstantIfGiven = (text: string | undefined): Instant | undefined =>
  text === undefined ? undefined : readInstant(text)
