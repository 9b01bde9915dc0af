import { type Instant, parseInstant } from './instant.ts'
import type { Fault } from './problem.ts'
import { type Quantity, units } from './quantity.ts'
import { cloudEventNames, type UsageNames } from './usage-form.ts'
import { readQuantity } from './usage-quantity.ts'

/** One CloudEvents 1.0 event. `source` and `id` together say which one it is, for ever. */
export interface UsageEvent {
  readonly source: string
  readonly id: string
  /** A meter's key. */
  readonly type: string
  /** The customer's externalId. */
  readonly subject: string
  readonly time: Instant
  /** As it was sent, fractions of a second included. */
  readonly timeText: string
  /** 1 unit where the event says none, which only a count meter accepts (`checkMeter`). */
  readonly quantity: Quantity
  readonly data: Record<string, unknown>
}

const MAX_TEXT_LENGTH = 255
const MAX_DATA_BYTES = 4096
const MAX_ATTRIBUTES = 64
/** Of a JSON number, which JavaScript writes with 17 digits at most: `-2.2250738585072014e-308`. */
const MAX_NUMBER_BYTES = 25

/** Everything an event may carry besides extensions, which we accept and do not keep. */
const attributes = new Set([
  'specversion',
  'id',
  'source',
  'type',
  'subject',
  'time',
  'datacontenttype',
  'dataschema',
  'data',
])

/** What of an event is as it should be, though something else is not: whatever is wrong with that is told too. */
export type ReadUsage = Partial<Pick<UsageEvent, 'type' | 'subject' | 'time' | 'quantity' | 'data'>>

/** There is an event exactly when there are no faults. */
export interface ParsedUsage {
  readonly event?: UsageEvent
  readonly read?: ReadUsage
  readonly faults: Fault[]
}

/**
 * Reads one event in CloudEvents' structured JSON; `pointer` says where it stands in the body: `#`,
 * `#/0`. All faults are told at once.
 */
export function parseUsageEvent(
  value: unknown,
  pointer: string,
  names: UsageNames = cloudEventNames,
): ParsedUsage {
  const faults: Fault[] = []
  const refuse: Refuse = (path, code, detail) => {
    faults.push({ pointer: names.at(pointer, ...[path].flat()), code, detail })
  }
  const reading = { names, refuse }
  if (!isObject(value)) {
    return { faults: [{ pointer, code: 'invalid', detail: 'A usage event is a JSON object.' }] }
  }
  const attributeNames = Object.keys(value)
  if (attributeNames.length > MAX_ATTRIBUTES) {
    const detail = `A usage event has at most ${MAX_ATTRIBUTES} attributes.`
    return { faults: [{ pointer, code: 'too_long', detail }] }
  }
  if (value.specversion !== '1.0') refuse('specversion', 'invalid', 'The specversion is "1.0".')
  const source = readIdentifier('source', value.source, reading)
  const id = readIdentifier('id', value.id, reading)
  const type = readIdentifier('type', value.type, reading)
  const subject = readIdentifier('subject', value.subject, reading)
  const timeText = typeof value.time === 'string' ? value.time : ''
  const time = parseInstant(timeText)
  if (value.time === undefined) refuse('time', 'required', 'An event says when it happened.')
  else if (time === undefined) {
    refuse('time', 'invalid', 'A time is RFC 3339 with an offset, like 2026-01-31T09:30:00Z.')
  }
  const before = faults.length
  const data = readData(value.data, refuse)
  const quantity = data.quantity === undefined ? units(1n) : readQuantity(data.quantity)
  if (typeof quantity === 'string') refuse(['data', 'quantity'], 'quantity_invalid', quantity)
  const isMeasured = faults.length === before
  checkOtherAttributes(value, attributeNames, refuse)

  if (faults.length > 0 || time === undefined || typeof quantity === 'string') {
    const named = { ...(type !== '' && { type }), ...(subject !== '' && { subject }) }
    const measured = isMeasured && typeof quantity !== 'string' ? { quantity, data } : {}
    return { faults, read: { ...named, ...(time !== undefined && { time }), ...measured } }
  }
  return { event: { source, id, type, subject, time, timeText, quantity, data }, faults }
}

/** `path` is an attribute, or the way to what is inside of the data. */
type Refuse = (path: string | readonly string[], code: string, detail: string) => void

function readIdentifier(
  name: string,
  value: unknown,
  { names, refuse }: { names: UsageNames; refuse: Refuse },
): string {
  if (value === undefined) refuse(name, 'required', `An event needs its ${names.say(name)}.`)
  else if (typeof value !== 'string') refuse(name, 'invalid', `The ${names.say(name)} is text.`)
  else if (value === '') refuse(name, 'invalid', `The ${names.say(name)} is empty.`)
  else if (value.length > MAX_TEXT_LENGTH) {
    refuse(name, 'too_long', `The ${names.say(name)} has at most ${MAX_TEXT_LENGTH} characters.`)
  } else if (!isPrintable(value)) {
    refuse(name, 'invalid', `The ${names.say(name)} has characters that are not text.`)
  } else return value
  return ''
}

/** A few words about the event: named scalars, no deeper. */
function readData(data: unknown, refuse: Refuse): Record<string, unknown> {
  if (data === undefined) return {}
  if (!isObject(data)) {
    refuse('data', 'invalid', 'The data is a JSON object.')
    return {}
  }
  const names = Object.keys(data)
  if (isTooLong(data, names)) {
    refuse('data', 'too_long', `The data has at most ${MAX_DATA_BYTES} bytes as JSON.`)
    return data
  }
  for (const name of names) {
    const value = data[name]
    // The quantity has sentences of its own.
    if (name === 'quantity') continue
    if (typeof value === 'object' && value !== null) {
      refuse('data', 'invalid', `The data is one level deep; ${JSON.stringify(name)} is not.`)
    } else if (!isStorable(name) || (typeof value === 'string' && !isStorable(value))) {
      refuse('data', 'invalid', `The data has characters that are not text, in ${JSON.stringify(name)}.`)
    }
  }
  return data
}

/** CloudEvents lets producers add scalar attributes with lower-case names; all else is a misspelling. */
function checkOtherAttributes(event: Record<string, unknown>, names: readonly string[], refuse: Refuse) {
  for (const name of names) {
    if (attributes.has(name)) continue
    const extension = /^[a-z0-9]{1,50}$/.test(name)
    if (extension && typeof event[name] !== 'object') continue
    const detail = extension
      ? 'An extension attribute is text, a number or a boolean.'
      : 'There is no such attribute; extension names are lower-case letters and digits.'
    const code = extension ? 'invalid' : 'unknown_attribute'
    refuse(name.slice(0, MAX_TEXT_LENGTH), code, detail)
  }
  const { datacontenttype: contentType, dataschema: schema } = event
  const isJson = typeof contentType === 'string' && /^application\/([\w.-]+\+)?json\b/i.test(contentType)
  if (contentType !== undefined && !isJson) {
    refuse('datacontenttype', 'invalid', 'The data is JSON: application/json.')
  }
  if (schema !== undefined && typeof schema !== 'string') refuse('dataschema', 'invalid', 'It is text.')
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Neither control characters nor half a surrogate pair. */
function isPrintable(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i)
    if (unit < 0x20 || (unit >= 0x7f && unit < 0xa0)) return false
    if (unit >= 0xd800 && unit < 0xe000) return text.isWellFormed() && !/\p{Cc}/u.test(text)
  }
  return true
}

/** Postgres keeps neither NUL nor half a surrogate pair. */
function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}

/** Most data is so short that nothing has to be written out to tell. */
function isTooLong(data: Record<string, unknown>, names: readonly string[]): boolean {
  let mostBytes = 2
  for (const name of names) {
    const value = data[name]
    if (typeof value === 'object' && value !== null) mostBytes = MAX_DATA_BYTES
    // A character is six bytes at most, `\u001f`; two pairs of quotes, a colon and a comma are six.
    mostBytes += 6 * name.length + (typeof value === 'string' ? 6 * value.length : MAX_NUMBER_BYTES) + 6
  }
  return mostBytes > MAX_DATA_BYTES && byteLength(JSON.stringify(data)) > MAX_DATA_BYTES
}

/** Bytes of UTF-8. JSON text is well formed, so nothing throws. */
function byteLength(json: string): number {
  if (json.length * 3 <= MAX_DATA_BYTES) return json.length
  return encodeURIComponent(json).replace(/%../g, '.').length
}
