import { closeSync, fstatSync, ftruncateSync, openSync, readSync, renameSync, writeSync } from 'node:fs'
import { type FileLock, lockFile } from './file-lock.ts'

const HEADER = '{"format":"stripe-simulator","version":2}\n'
const CHUNK_BYTES = 1 << 20
const NEWLINE = 10

/**
 * JSON records, one a line, appended to a file. What was appended is with the operating system when
 * `append` returns: the death of the process does not lose it. It is not forced to the disk, so the loss of
 * power may. A record is read whole or not at all: a last line that was cut off is dropped. The file is one
 * process's for as long as it is open.
 */
export class RecordFile {
  readonly #path: string
  readonly #lock: FileLock
  #descriptor: number
  /** Bytes of the whole records. */
  #size = 0

  constructor(path: string) {
    this.#path = path
    this.#descriptor = openSync(path, 'a+')
    this.#lock = lockFile(path)
  }

  get size(): number {
    return this.#size
  }

  /** Every whole record, oldest first; what follows the last one is cut off. To be called once, before writing. */
  *read(): Generator<object> {
    let header: string | undefined
    for (const line of this.#lines()) {
      if (header === undefined) {
        header = `${line.toString()}\n`
        if (header !== HEADER) throw this.#unreadable(header)
      } else yield this.#parsed(line)
      this.#size += line.length + 1
    }
    const rest = this.#textFrom(this.#size)
    // Also a file whose first line was cut off is a new one; anything else that is no record is not ours.
    if (header === undefined && !HEADER.startsWith(rest)) throw this.#unreadable(rest)
    ftruncateSync(this.#descriptor, this.#size)
    if (header === undefined) this.append(HEADER)
  }

  /** Adds records as text, each ending in a line break. What cannot be written whole is not written. */
  append(lines: string): void {
    const { size, nlink } = fstatSync(this.#descriptor)
    if (size !== this.#size || nlink === 0) {
      throw new Error(
        `${this.#path} was written or removed by somebody else meanwhile. It was left as it is.`,
      )
    }
    const bytes = Buffer.from(lines)
    try {
      writeWhole(this.#descriptor, bytes)
    } catch (error) {
      ftruncateSync(this.#descriptor, this.#size)
      throw new Error(`${this.#path} cannot be written: ${(error as Error).message}`, { cause: error })
    }
    this.#size += bytes.length
  }

  /** Puts these records in the place of all others, at once: a kill leaves the old file or the new one. */
  replace(lines: Iterable<string>): void {
    const next = `${this.#path}.next`
    const descriptor = openSync(next, 'w')
    let size = 0
    try {
      for (const line of [HEADER, ...lines]) {
        const bytes = Buffer.from(line)
        writeWhole(descriptor, bytes)
        size += bytes.length
      }
    } finally {
      closeSync(descriptor)
    }
    renameSync(next, this.#path)
    closeSync(this.#descriptor)
    this.#descriptor = openSync(this.#path, 'a+')
    this.#size = size
  }

  close(): void {
    closeSync(this.#descriptor)
    this.#lock.close()
  }

  /** The lines that end. */
  *#lines(): Generator<Buffer> {
    let begun: Buffer[] = []
    for (let at = 0; ; ) {
      const chunk = Buffer.alloc(CHUNK_BYTES)
      const length = readSync(this.#descriptor, chunk, 0, CHUNK_BYTES, at)
      if (length === 0) return
      at += length
      let start = 0
      for (let end = chunk.indexOf(NEWLINE); end >= 0 && end < length; end = chunk.indexOf(NEWLINE, start)) {
        yield Buffer.concat([...begun, chunk.subarray(start, end)])
        begun = []
        start = end + 1
      }
      begun.push(chunk.subarray(start, length))
    }
  }

  #textFrom(at: number): string {
    const bytes = Buffer.alloc(200)
    return bytes.subarray(0, readSync(this.#descriptor, bytes, 0, bytes.length, at)).toString()
  }

  #parsed(line: Buffer): object {
    try {
      return JSON.parse(line.toString()) as object
    } catch (error) {
      throw new Error(`${this.#path} is damaged: what begins at byte ${this.#size} is no record.`, {
        cause: error,
      })
    }
  }

  #unreadable(text: string): Error {
    const older = /^\{"format":1,/.test(text)
    return new Error(
      older
        ? `${this.#path} was written by an earlier version of the simulator, which this one cannot read. Remove it to begin anew.`
        : `${this.#path} is not a state file of this simulator. It was left as it is.`,
    )
  }
}

/** The system may take less than it is given. */
function writeWhole(descriptor: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at)
}
