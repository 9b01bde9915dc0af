import { type Fault, Problem } from '@lockstep/core/problem'
import { binaryNames, type Headers, isBinaryUsage, parseBinaryUsage } from '@lockstep/core/usage-binary'
import { type ParsedUsage, parseUsageEvent } from '@lockstep/core/usage-event'
import { cloudEventNames, type UsageNames } from '@lockstep/core/usage-form'
import { anotherForm, isPlainUsage, parsePlainUsage, plainNames } from '@lockstep/core/usage-plain'

/** What a request brought, read by the form it is written in. */
export interface SentUsage {
  readonly parsed: readonly ParsedUsage[]
  /** Of an event, by its place. */
  readonly pointerOf: (index: number) => string
  readonly names: UsageNames
}

const MAX_EVENTS = 1000

/** Where each event of a list stands that is the whole body, written once and not for every event that comes. */
const pointers: readonly string[] = Array.from({ length: MAX_EVENTS }, (_, index) => `#/${index}`)

/**
 * Reads one event or a list, in one of four forms: CloudEvents in binary mode by their headers,
 * structured and batched by their media types, the plain form by its first event. Of plain
 * `application/json` it is the body that says whether it is one event or a list. `root` is where it stands.
 */
export function readSent(body: unknown, headers: Headers = {}, root = '#'): SentUsage {
  if (isBinaryUsage(headers)) {
    return { parsed: [parseBinaryUsage(headers, body)], pointerOf: () => '#', names: binaryNames }
  }
  const isList = Array.isArray(body)
  const values = listOf(body)
  const mode = modeOf(headers)
  if (mode === 'one' && isList) throw malformed('One CloudEvent is an object; a list of them is a batch.')
  if (mode === 'batch' && !isList) throw malformed('A batch of CloudEvents is a list.')
  const names = mode === undefined ? namesIn(values) : cloudEventNames
  const parse = names === plainNames ? parsePlainUsage : parseCloudEvent
  const pointerOf = (index: number) => {
    if (!isList) return root
    return root === '#' ? (pointers[index] ?? '#') : `${root}/${index}`
  }
  return {
    parsed: values.map((value, index) => parse(value, pointerOf(index))),
    pointerOf,
    names,
  }
}

const parseCloudEvent = (value: unknown, pointer: string): ParsedUsage =>
  isPlainUsage(value) ? anotherForm(pointer) : parseUsageEvent(value, pointer)

/** What events in JSON call their attributes: the first one says it for all. */
export const namesIn = (events: readonly unknown[]): UsageNames =>
  isPlainUsage(events[0]) ? plainNames : cloudEventNames

/** What the media type of a CloudEvent promises; undefined where it promises nothing. */
function modeOf({ 'content-type': type }: Headers): 'one' | 'batch' | undefined {
  if (typeof type !== 'string' || !/^application\/cloudevents/i.test(type)) return undefined
  return /^application\/cloudevents-batch/i.test(type) ? 'batch' : 'one'
}

function listOf(body: unknown): readonly unknown[] {
  if (!Array.isArray(body)) return [body]
  if (body.length === 0) {
    const fault = { pointer: '#', code: 'too_few', detail: 'A batch has at least one event.' }
    throw new Problem('usage_event_invalid', fault.detail, { faults: [fault] })
  }
  if (body.length > MAX_EVENTS) {
    const detail = `A batch has at most ${MAX_EVENTS} events; this one has ${body.length}.`
    throw new Problem('batch_too_large', detail)
  }
  return body
}

function malformed(detail: string): Problem {
  const fault: Fault = { pointer: '#', code: 'invalid', detail }
  return new Problem('usage_event_invalid', detail, { faults: [fault] })
}
