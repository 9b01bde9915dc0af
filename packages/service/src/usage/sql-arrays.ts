import type { Instant } from '@lockstep/core/instant'
import { HASH_BYTES, type Hash } from './identity.ts'

/**
 * Lists as Postgres reads them in binary. A column of a thousand values travels as one parameter, and
 * neither side quotes, escapes or parses text: a third of the time of a batch.
 */
export function uuids(values: readonly Hash[]): Buffer {
  const buffer = start(UUID, values.length, HASH_BYTES * values.length)
  let at = HEADER_BYTES
  for (const value of values) {
    buffer.writeInt32BE(HASH_BYTES, at)
    buffer.write(value, at + 4, HASH_BYTES, 'latin1')
    at += 4 + HASH_BYTES
  }
  return buffer
}

export function texts(values: readonly string[]): Buffer {
  return strings(TEXT, values)
}

export function jsonbs(values: readonly string[]): Buffer {
  return strings(JSONB, values)
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

const [TEXT, TIMESTAMPTZ, UUID, JSONB] = [25, 1184, 2950, 3802]
const POSTGRES_EPOCH: Instant = 946_684_800
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

function strings(type: number, values: readonly string[]): Buffer {
  // Each value of jsonb begins with the version of its binary form.
  const version = type === JSONB ? 1 : 0
  let units = 0
  for (const value of values) units += value.length
  // A UTF-16 unit is at most three bytes of UTF-8.
  const buffer = start(type, values.length, 3 * units + version * values.length)
  let at = HEADER_BYTES
  for (const value of values) {
    if (version) buffer[at + 4] = version
    const bytes = version + buffer.write(value, at + 4 + version, 'utf8')
    buffer.writeInt32BE(bytes, at)
    at += 4 + bytes
  }
  return values.length === 0 ? buffer : buffer.subarray(0, at)
}
