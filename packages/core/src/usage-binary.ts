import { child } from './pointer.ts'
import type { Fault } from './problem.ts'
import { type ParsedUsage, parseUsageEvent } from './usage-event.ts'
import type { UsageNames } from './usage-form.ts'

/** A request's headers by their names in lower case. */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>

const PREFIX = 'ce-'

/** What an event has to say; a request with any of it in its headers is meant as one. */
const required = ['specversion', 'id', 'source', 'type'] as const

/**
 * Whether a request is an event in CloudEvents' binary mode: its attributes are headers, its body is
 * the data. Structured ones may repeat theirs in headers, so their media type goes first.
 */
export function isBinaryUsage(headers: Headers): boolean {
  const mediaType = headers['content-type']
  if (typeof mediaType === 'string' && /^application\/cloudevents/i.test(mediaType)) return false
  return required.some((name) => headers[PREFIX + name] !== undefined)
}

/** Attributes are told by their header, what is wrong with the data by its place in the body. */
export const binaryNames: UsageNames = {
  at: (event, ...path) => {
    const [name = '', ...inner] = path
    if (name === 'data') return child(event, ...inner)
    return binaryNames.say(name)
  },
  say: (name) => (name === 'datacontenttype' ? 'content-type' : PREFIX + name),
}

/** Reads the event of a request in binary mode (CloudEvents 1.0.2, HTTP binding, section 3.1). */
export function parseBinaryUsage(headers: Headers, data: unknown): ParsedUsage {
  const attributes: Record<string, unknown> = { data }
  const unreadable: Fault[] = []
  for (const [header, value] of Object.entries(headers)) {
    if (!header.startsWith(PREFIX) || value === undefined) continue
    const name = header.slice(PREFIX.length)
    const text = typeof value === 'string' ? decodeHeader(value) : undefined
    if (name === 'data' || name === 'datacontenttype') {
      const detail = 'The body is the data, and the header Content-Type says what it is.'
      unreadable.push({ pointer: header, code: 'unknown_attribute', detail })
    } else if (text === undefined) {
      const detail = 'A header is printable ASCII, everything else in it percent-encoded UTF-8.'
      unreadable.push({ pointer: header, code: 'invalid', detail })
    } else attributes[name] = text
  }
  if (data !== undefined) attributes.datacontenttype = headers['content-type']
  const parsed = parseUsageEvent(attributes, '#', binaryNames)
  // What could not be read is there all the same.
  const told = new Set(unreadable.map(({ pointer }) => pointer))
  const faults = [...unreadable, ...parsed.faults.filter(({ pointer }) => !told.has(pointer))]
  return faults.length > 0 ? { faults, read: parsed.read ?? parsed.event ?? {} } : parsed
}

/**
 * A header's value as it was meant (section 3.1.3.2): quotes taken off, which older senders write, then
 * percent-decoded once. Undefined for bytes that are no UTF-8, and for what cannot stand in a header.
 */
function decodeHeader(value: string): string | undefined {
  if (!/^[\x20-\x7e]*$/.test(value)) return undefined
  const isQuoted = value.length > 1 && value.startsWith('"') && value.endsWith('"')
  const bare = isQuoted ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value
  try {
    return decodeURIComponent(bare)
  } catch {
    return undefined
  }
}
