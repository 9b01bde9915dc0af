import { createHash } from 'node:crypto'
import { profileCreated } from '@lockstep/api/bus-messages'
import { ONE_LINE } from '@lockstep/api/text'
import { type Instant, parseInstant } from '@lockstep/core/instant'
import { Problem } from '@lockstep/core/problem'
import { validate } from '../validate.ts'
import type { Delivery } from './bus.ts'

/** A message as far as it could be read. */
export interface ReadMessage {
  readonly source: string
  readonly messageId: string
  readonly sentAt: Instant | null
  /** What of it is used; or why nothing of it can be. */
  readonly content: { readonly externalId: string } | Problem
}

/**
 * Reads a CloudEvent in structured mode, whose `source` and `id` name it; or a plain body, which goes by
 * the name that the bus gave it. What is no profile is told with every fault, and nothing of it is kept:
 * it might be anything.
 *
 * Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
 */
export function readMessage({ body, name }: Delivery): ReadMessage {
  const plain = { source: name.source, messageId: shortName(name.id), sentAt: null }
  let message: unknown
  try {
    message = JSON.parse(utf8.decode(body))
  } catch (cause) {
    return { ...plain, content: new Problem('invalid_request', 'The message is not JSON.', { cause }) }
  }
  const event = cloudEvent(message)
  return event
    ? { ...event, content: profileOf(event.data, '#/data') }
    : { ...plain, content: profileOf(message, '#') }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })
/** Longer than any id; the row's key must not grow without a bound. */
const LONGEST_NAME = 200

function cloudEvent(message: unknown) {
  if (typeof message !== 'object' || message === null) return undefined
  const { specversion, source, id, time, data } = message as Readonly<Record<string, unknown>>
  if (typeof specversion !== 'string' || !isName(source) || !isName(id)) return undefined
  const sentAt = typeof time === 'string' ? (parseInstant(time) ?? null) : null
  return { source, messageId: id, sentAt, data }
}

const isName = (value: unknown): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= LONGEST_NAME && ONE_LINE.test(value)

/** What the bus calls it is taken as it is, but for what no row can hold: that goes by its digest. */
const shortName = (name: string): string =>
  isName(name) ? name : `sha256:${createHash('sha256').update(name).digest('hex')}`

function profileOf(data: unknown, at: string): ReadMessage['content'] {
  try {
    const { body } = validate({ body: profileCreated }, { params: {}, query: {}, body: data })
    const { externalId, email, name, testClock, plan, address } = body as ReturnType<
      typeof profileCreated.parse
    >
    return { externalId, email, name, testClock, plan, address } as { externalId: string }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    const faults = error.faults.map((fault) => ({ ...fault, pointer: fault.pointer.replace('#', at) }))
    return new Problem(error.code, error.detail, { faults })
  }
}
