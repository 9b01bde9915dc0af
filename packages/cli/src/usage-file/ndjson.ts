import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { UsageEvent } from '@lockstep/sdk/usage'
import { UsageError } from '../usage-error.ts'
import type { Entry } from './usage-file.ts'

/** One event in JSON on each line; empty lines are passed over. */
export async function* readNdjson(stream: Readable, path: string): AsyncGenerator<Entry> {
  let line = 0
  for await (const text of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
    line += 1
    if (text.trim() === '') continue
    yield { event: parse(text, `${path}:${line}`), line }
  }
}

function parse(text: string, place: string): UsageEvent {
  try {
    return JSON.parse(text) as UsageEvent
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new UsageError(
      `${place} is not JSON: ${reason}`,
      'Each line is one event. Correct the line, then import the whole file again: what is stored already counts as a duplicate.',
    )
  }
}
