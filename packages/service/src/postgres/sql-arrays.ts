import type { Instant } from '@lockstep/core/instant'

/**
 * Lists as Postgres reads them in binary. A column of a thousand values travels as one parameter, and
 * neither side quotes, escapes or parses text: a third of the time of a batch.
 *
 * Each is sixteen characters, one for each byte.
 */
export function uuids(values: readonly string[]): Buffer {
  const buffer = start(UUID, values.length, UUID_BYTES * values.length)
  let at = HEADER_BYTES
  for (const value of values) {
    buffer.writeInt32BE(UUID_BYTES, at)
    buffer.write(value, at + 4, UUID_BYTES, 'latin1')
    at += 4 + UUID_BYTES
  }
  return buffer
}

export function texts(values: readonly string[]): Buffer {
  return strings(TEXT, values)
}

export function jsons(values: readonly string[]): Buffer {
  return strings(JSON_TEXT, values)
}

export function instants(values: readonly Instant[]): Buffer {
  return timestamps(values.map((time) => ({ time, microseconds: 0 })))
}

export function timestamps(values: readonly { time: Instant; microseconds: number }[]): Buffer {
  const buffer = start(TIMESTAMPTZ, values.length, 8 * values.length)
  let at = HEADER_BYTES
  for (const { time, microseconds } of values) {
    buffer.writeInt32BE(8, at)
    const since = (time - POSTGRES_EPOCH) * 1_000_000 + microseconds
    // Exact up to the year 2285; beyond, microseconds are more than a float can count.
    if (Number.isSafeInteger(since)) {
      const high = Math.floor(since / 2 ** 32)
      buffer.writeInt32BE(high, at + 4)
      buffer.writeUInt32BE(since - high * 2 ** 32, at + 8)
    } else {
      buffer.writeBigInt64BE(BigInt(time - POSTGRES_EPOCH) * 1_000_000n + BigInt(microseconds), at + 4)
    }
    at += 12
  }
  return buffer
}

/** Plain numbers need no quotes, so their text is the shortest way. */
export function numbers(values: readonly (string | number | bigint)[]): string {
  return `{${values.join(',')}}`
}

const [TEXT, JSON_TEXT, TIMESTAMPTZ, UUID] = [25, 114, 1184, 2950]
const POSTGRES_EPOCH: Instant = 946_684_800
const UUID_BYTES = 16
const HEADER_BYTES = 20

function start(type: number, count: number, bytes: number): Buffer {
  const buffer = Buffer.allocUnsafe(HEADER_BYTES + 4 * count + bytes)
  buffer.writeInt32BE(count === 0 ? 0 : 1, 0) // dimensions
  buffer.writeInt32BE(0, 4) // no nulls
  buffer.writeInt32BE(type, 8)
  buffer.writeInt32BE(count, 12)
  buffer.writeInt32BE(1, 16) // counted from 1
  return count === 0 ? buffer.subarray(0, 12) : buffer
}

/**
 * Text that is ASCII and short, as most is, is joined together with its lengths and written at once, in
 * less than half the time.
 */
function strings(type: number, values: readonly string[]): Buffer {
  const parts: string[] = []
  for (const value of values) {
    const length = lengths[value.length]
    if (length === undefined) return anyStrings(type, values)
    parts.push(length, value)
  }
  const joined = parts.join('')
  if (Buffer.byteLength(joined) !== joined.length) return anyStrings(type, values)
  const buffer = start(type, values.length, joined.length - 4 * values.length)
  if (values.length > 0) buffer.write(joined, HEADER_BYTES, 'latin1')
  return buffer
}

/** The four bytes before a value of so many bytes, as far as these are ASCII. */
const lengths: readonly string[] = Array.from(
  { length: 128 },
  (_, bytes) => `\0\0\0${String.fromCharCode(bytes)}`,
)

function anyStrings(type: number, values: readonly string[]): Buffer {
  let units = 0
  for (const value of values) units += value.length
  // A UTF-16 unit is at most three bytes of UTF-8.
  const buffer = start(type, values.length, 3 * units)
  let at = HEADER_BYTES
  for (const value of values) {
    const bytes = buffer.write(value, at + 4, 'utf8')
    buffer.writeInt32BE(bytes, at)
    at += 4 + bytes
  }
  return buffer.subarray(0, at)
}
