import { assert } from './assert.ts'

/** A moment, in whole seconds since 1970-01-01T00:00:00Z. Stripe's resolution, so ours. */
export type Instant = number

const RFC_3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.\d{1,12})?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/

const SECONDS_PER_DAY = 86_400

/**
 * Reads an RFC 3339 date-time; undefined when it is none or names a day that does not exist.
 * Fractions of a second are cut off, so an event of the last millisecond stays in its period. A
 * leap second is the first second of the next day, as in Unix time.
 */
export function parseInstant(text: string): Instant | undefined {
  const match = RFC_3339.exec(text)
  if (!match) return undefined
  const part = (index: number) => Number(match[index] ?? 0)
  const [year, month, day, hour, minute, second] = [part(1), part(2), part(3), part(4), part(5), part(6)]
  if (hour > 23 || minute > 59 || second > 60 || part(8) > 23 || part(9) > 59) return undefined

  // Not Date.UTC, which reads the years 0 to 99 as 1900 to 1999.
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined

  const offset = (match[7] === '-' ? -1 : 1) * (part(8) * 3600 + part(9) * 60)
  const at = date.getTime() / 1000 + hour * 3600 + minute * 60 + second - offset
  return second === 60 && at % SECONDS_PER_DAY !== 0 ? undefined : at
}

/** RFC 3339 in UTC, to the second: `2026-01-31T09:30:00Z`. */
export function formatInstant(at: Instant): string {
  assert(Number.isSafeInteger(at), `not a whole second: ${at}`)
  return new Date(at * 1000).toISOString().replace('.000Z', 'Z')
}
