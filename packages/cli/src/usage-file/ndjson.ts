import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { UsageEvent } from '@lockstep/sdk/usage'
import { UsageError } from '../usage-error.ts'
import type { Entry } from './usage-file.ts'

/** Told of a line that is not JSON, which is passed over then. */
export type Unreadable = (line: number, detail: string) => void

/** One event in JSON on each line; empty lines are passed over. Without `unreadable`, a line that is not JSON ends it. */
export async function* readNdjson(
  stream: Readable,
  path: string,
  unreadable?: Unreadable,
): AsyncGenerator<Entry> {
  let line = 0
  for await (const text of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
    line += 1
    if (text.trim() === '') continue
    const event = parse(text, (reason) => {
      if (unreadable === undefined) throw notJson(`${path}:${line}`, reason)
      unreadable(line, `This is not JSON: ${reason}`)
    })
    if (event !== undefined) yield { event, line }
  }
}

function parse(text: string, fail: (reason: string) => void): UsageEvent | undefined {
  try {
    return JSON.parse(text) as UsageEvent
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error))
    return undefined
  }
}

function notJson(place: string, reason: string): UsageError {
  return new UsageError(
    `${place} is not JSON: ${reason}`,
    'Each line is one event. Correct the line, then import the whole file again: what is stored already counts as a duplicate.',
  )
}
