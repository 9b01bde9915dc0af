/** A moment, in whole seconds since 1970-01-01T00:00:00Z. Stripe's resolution, so ours. */
export type Instant = number

const RFC_3339 = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d{1,12})?(?:[Zz]|[+-]\d{2}:\d{2})$/

const SECONDS_PER_DAY = 86_400

/** The calendar repeats itself after 400 years. */
const DAYS_OF_400_YEARS = 146_097

/**
 * Reads an RFC 3339 date-time; undefined when it is none or names a day that does not exist.
 * Fractions of a second are cut off, so an event of the last millisecond stays in its period. A
 * leap second is the first second of the next day, as in Unix time.
 */
export function parseInstant(text: string): Instant | undefined {
  if (!RFC_3339.test(text)) return undefined
  // Its shape is known, so every part has its place: there is no need to take the text apart.
  const year = 100 * twoDigits(text, 0) + twoDigits(text, 2)
  const month = twoDigits(text, 5)
  const day = twoDigits(text, 8)
  const hour = twoDigits(text, 11)
  const minute = twoDigits(text, 14)
  const second = twoDigits(text, 17)
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined
  if (hour > 23 || minute > 59 || second > 60) return undefined
  const offset = offsetOf(text)
  if (offset === undefined) return undefined

  // 400 years later and back, because Date.UTC reads the years 0 to 99 as 1900 to 1999.
  const days = Date.UTC(year + 400, month - 1, day) / 86_400_000 - DAYS_OF_400_YEARS
  const at = days * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second - offset
  return second === 60 && at % SECONDS_PER_DAY !== 0 ? undefined : at
}

/** Seconds that local time is ahead of UTC. */
function offsetOf(text: string): number | undefined {
  const sign = text[text.length - 6]
  if (sign !== '+' && sign !== '-') return 0
  const [hours, minutes] = [twoDigits(text, text.length - 5), twoDigits(text, text.length - 2)]
  if (hours > 23 || minutes > 59) return undefined
  return (sign === '-' ? -1 : 1) * (hours * 3600 + minutes * 60)
}

const twoDigits = (text: string, at: number) => 10 * text.charCodeAt(at) + text.charCodeAt(at + 1) - 528

function daysIn(year: number, month: number): number {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
}

/** RFC 3339 in UTC, to the second: `2026-01-31T09:30:00Z`. */
export function formatInstant(at: Instant): string {
  if (!Number.isSafeInteger(at)) throw new Error(`not a whole second: ${at}`)
  const date = new Date(at * 1000)
  const year = date.getUTCFullYear()
  // Years of other than four digits are written with a sign; what is no date at all throws.
  if (!(year >= 1000 && year <= 9999)) return date.toISOString().replace('.000Z', 'Z')
  const day = `${year}-${padded(date.getUTCMonth() + 1)}-${padded(date.getUTCDate())}`
  return `${day}T${padded(date.getUTCHours())}:${padded(date.getUTCMinutes())}:${padded(date.getUTCSeconds())}Z`
}

// Put together like this it takes half of what `toISOString` does, and a page of answers has a hundred of them.
const PADDED = Array.from({ length: 100 }, (_, number) => String(number).padStart(2, '0'))
const padded = (number: number) => PADDED[number]
