import { createReadStream, statSync } from 'node:fs'
import { extname } from 'node:path'
import type { Fault } from '@lockstep/core/problem'
import type { AnyUsageEvent } from '@lockstep/sdk/usage'
import { type CsvOptions, readCsv } from './csv.ts'
import { readNdjson, type Unreadable } from './ndjson.ts'

/** One event of a file, and the line on which it stands or begins. */
export interface Entry {
  readonly event: AnyUsageEvent
  /** From 1. */
  readonly line: number
}

/** How a person wants a file read; by its ending unless they say. */
export interface FileOptions extends CsvOptions {
  readonly format?: 'ndjson' | 'csv' | undefined
}

/** So many events at the end are remembered with their lines: more than one request can carry. */
const REMEMBERED = 1024

/** The usage events of a file, read once, from its beginning. */
export class UsageFile {
  readonly size: number
  bytesRead = 0
  readonly #path: string
  readonly #options: FileOptions
  #count = 0
  readonly #lines = new Int32Array(REMEMBERED)

  constructor(path: string, options: FileOptions) {
    this.#path = path
    this.#options = options
    this.size = statSync(path).size
  }

  /** With `unreadable`, goes on after a line that is not JSON. A row that is not CSV leaves nothing to go on by. */
  async *events(unreadable?: (fault: Fault) => void): AsyncGenerator<AnyUsageEvent> {
    const stream = createReadStream(this.#path)
    stream.on('data', (chunk) => {
      this.bytesRead += chunk.length
    })
    const isCsv = (this.#options.format ?? formatOf(this.#path)) === 'csv'
    const told: Unreadable | undefined =
      unreadable &&
      ((line, detail) => unreadable({ pointer: `${this.#path}:${line}`, code: 'invalid', detail }))
    const entries = isCsv ? readCsv(stream, this.#path, this.#options) : readNdjson(stream, this.#path, told)
    for await (const { event, line } of entries) {
      this.#lines[this.#count % REMEMBERED] = line
      this.#count += 1
      yield event
    }
  }

  /**
   * A fault by line instead of by event: `#/3/time` is `usage.ndjson:4 #/time`. Of the events that were
   * read last, which is what can be refused.
   */
  located(fault: Fault): Fault {
    const [, index, rest = ''] = /^#\/(\d+)(.*)$/.exec(fault.pointer) ?? []
    if (index === undefined) return fault
    const line = this.#lines[Number(index) % REMEMBERED]
    return { ...fault, pointer: `${this.#path}:${line} #${rest}` }
  }
}

const formatOf = (path: string) => (extname(path).toLowerCase() === '.csv' ? 'csv' : 'ndjson')
