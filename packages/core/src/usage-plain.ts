import { child } from './pointer.ts'
import type { Fault } from './problem.ts'
import { isObject, type ParsedUsage, parseUsageEvent } from './usage-event.ts'
import type { UsageNames } from './usage-form.ts'

/** The source of an event that names none. */
const DEFAULT_SOURCE = 'default'

const fields: ReadonlySet<string> = new Set([
  'id',
  'source',
  'meter',
  'externalId',
  'quantity',
  'time',
  'data',
])

/**
 * Whether a request is written in the plain form: its first event says so, by a name that no CloudEvent
 * has, though another one of it may be misspelled.
 */
export function isPlainUsage(event: unknown): boolean {
  if (!isObject(event) || event.specversion !== undefined) return false
  return event.meter !== undefined || event.externalId !== undefined || event.quantity !== undefined
}

/** Of an event in another form than the first one of its request: that says more than each name that is strange. */
export const anotherForm = (pointer: string): ParsedUsage => ({
  faults: [
    {
      pointer,
      code: 'invalid',
      detail: 'A request is written in one form, that of its first event; this is the other.',
    },
  ],
})

/** What the plain form calls things: our own words, and the quantity beside the rest of the data. */
export const plainNames: UsageNames = {
  at: (event, ...path) => {
    const [name = '', inner] = path
    if (name === 'data' && inner === 'quantity') return child(event, inner)
    return child(event, plainNames.say(name), ...path.slice(1))
  },
  say: (name) => (name === 'type' ? 'meter' : name === 'subject' ? 'externalId' : name),
}

/**
 * Reads one event in the plain form, for whoever has no use for CloudEvents' envelope:
 *
 * ```json
 * { "id": "job-81274", "meter": "compute_seconds", "externalId": "user_4711", "quantity": "12.5",
 *   "time": "2026-01-31T09:30:00Z" }
 * ```
 *
 * It is the same event as a CloudEvent of that id whose `source` is "default", or the one it names.
 */
export function parsePlainUsage(value: unknown, pointer: string): ParsedUsage {
  if (!isObject(value)) return parseUsageEvent(value, pointer, plainNames)
  if (value.specversion !== undefined) return anotherForm(pointer)
  const { id, source = DEFAULT_SOURCE, meter, externalId, quantity, time, data } = value
  const misspelled: Fault[] = Object.keys(value)
    .filter((name) => !fields.has(name))
    .map((name) => ({
      pointer: child(pointer, name.slice(0, 255)),
      code: 'unknown_attribute',
      detail: `There is no such field; there are ${[...fields].join(', ')}.`,
    }))
  if (isObject(data) && data.quantity !== undefined) {
    const detail = 'The quantity stands beside the data, not in it.'
    misspelled.push({ pointer: child(pointer, 'data', 'quantity'), code: 'invalid', detail })
  }
  const parsed = parseUsageEvent(
    { specversion: '1.0', source, id, type: meter, subject: externalId, time, data: join(data, quantity) },
    pointer,
    plainNames,
  )
  const faults = [...parsed.faults, ...misspelled]
  return faults.length > 0 ? { faults, read: parsed.read ?? parsed.event ?? {} } : parsed
}

function join(data: unknown, quantity: unknown): unknown {
  if (quantity === undefined) return data
  if (data === undefined) return { quantity }
  return isObject(data) ? { ...data, quantity } : data
}
