import { type FileHandle, mkdir, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Lines that were written and not yet answered, in a file of their own; the oldest file is read first. */
interface Segment {
  readonly path: string
  /** What may be read: written as far as here, whole lines. */
  size: number
  /** What was answered, and need not be read again. */
  sent: number
}

/** Some lines of one segment. */
export interface Piece {
  readonly lines: readonly string[]
  readonly segment: Segment
  readonly end: number
}

export interface JournalOptions {
  readonly directory: string
  /** Whether a line has to survive the loss of power, and not only the end of the process. */
  readonly sync: boolean
}

const SEGMENT_BYTES = 8 * 1024 * 1024
/** Of one piece, with room for the envelopes under the service's limit of 5 MB. */
const PIECE_BYTES = 4 * 1024 * 1024
const PIECE_LINES = 1000
const ENDING = '.events'

/**
 * Lines on disk, appended at one end and taken from the other. How far they were taken is remembered in
 * a file beside each segment, and may be forgotten: then they are taken again.
 *
 * A process killed in the middle of a write leaves half a line at the end of its segment. The next one
 * writes into a segment of its own, and a reader passes over what has no end.
 */
export class Journal {
  readonly #directory: string
  readonly #sync: boolean
  #segments: Segment[] = []
  #active: { segment: Segment; handle: FileHandle } | undefined
  #appending = false
  #number = 0

  constructor({ directory, sync }: JournalOptions) {
    this.#directory = directory
    this.#sync = sync
  }

  /** Finds what processes before left. */
  async open(): Promise<void> {
    await mkdir(this.#directory, { recursive: true })
    const names = (await readdir(this.#directory)).sort()
    for (const name of names.filter((name) => name.endsWith(`${ENDING}.sent`))) {
      if (!names.includes(name.replace(/\.sent$/, ''))) await rm(join(this.#directory, name))
    }
    for (const name of names.filter((name) => name.endsWith(ENDING))) {
      const path = join(this.#directory, name)
      const { size } = await stat(path)
      const segment = { path, size, sent: await readSent(path, size) }
      this.#segments.push(segment)
      this.#number = Number.parseInt(name, 10)
      if (segment.sent === size) await this.#taken(segment, size)
    }
  }

  /** On disk, what was answered already and not yet removed included. */
  get bytes(): number {
    return this.#segments.reduce((sum, { size }) => sum + size, 0)
  }

  /** One call at a time. Ends when the lines, each with its line break, are safe; throws when none of them is. */
  async append(lines: string): Promise<void> {
    this.#appending = true
    try {
      this.#active ??= await this.#begin()
      const { segment, handle } = this.#active
      const bytes = Buffer.from(lines)
      try {
        await writeAll(handle, bytes, segment.size)
        if (this.#sync) await handle.datasync()
      } catch (error) {
        await this.#abandon()
        throw error
      }
      segment.size += bytes.length
      if (segment.size >= SEGMENT_BYTES) await this.#end()
    } finally {
      this.#appending = false
    }
  }

  /** The oldest lines that were not taken yet; undefined when there are none. */
  async read(): Promise<Piece | undefined> {
    for (;;) {
      const segment = this.#segments.find(({ size, sent }) => sent < size)
      if (!segment) return undefined
      const piece = await readPiece(segment)
      if (piece) return piece
      await this.#taken(segment, segment.size)
    }
  }

  /** These lines were answered. */
  done({ segment, end }: Piece): Promise<void> {
    return this.#taken(segment, end)
  }

  async close(): Promise<void> {
    await this.#end()
  }

  async #taken(segment: Segment, end: number): Promise<void> {
    segment.sent = end
    if (segment.sent < segment.size || (this.#active?.segment === segment && this.#appending)) {
      await writeFile(`${segment.path}.sent`, `${segment.sent}`)
      return
    }
    if (this.#active?.segment === segment) await this.#end()
    this.#segments = this.#segments.filter((other) => other !== segment)
    // In this order: a mark without its lines could be taken for one of lines to come.
    await rm(`${segment.path}.sent`, { force: true })
    await rm(segment.path, { force: true })
  }

  async #begin(): Promise<{ segment: Segment; handle: FileHandle }> {
    this.#number += 1
    const path = join(this.#directory, `${String(this.#number).padStart(12, '0')}${ENDING}`)
    const handle = await open(path, 'wx')
    if (this.#sync) await syncDirectory(this.#directory)
    const segment = { path, size: 0, sent: 0 }
    this.#segments.push(segment)
    return { segment, handle }
  }

  async #end(): Promise<void> {
    const active = this.#active
    this.#active = undefined
    await active?.handle.close()
  }

  /** Takes half a write back, if the disk lets us; if not, nothing more is written behind it. */
  async #abandon(): Promise<void> {
    if (!this.#active) return
    const { segment, handle } = this.#active
    await handle.truncate(segment.size).catch(() => this.#end().catch(() => {}))
  }
}

async function writeAll(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, position + written)
    written += bytesWritten
  }
}

/** Whole lines only; undefined where there is no end of one. */
async function readPiece(segment: Segment): Promise<Piece | undefined> {
  const handle = await open(segment.path)
  try {
    const buffer = Buffer.alloc(Math.min(segment.size - segment.sent, PIECE_BYTES))
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, segment.sent)
    const lines: string[] = []
    let at = 0
    while (lines.length < PIECE_LINES) {
      const end = buffer.subarray(0, bytesRead).indexOf('\n', at)
      if (end === -1) break
      lines.push(buffer.toString('utf8', at, end))
      at = end + 1
    }
    return lines.length === 0 ? undefined : { lines, segment, end: segment.sent + at }
  } finally {
    await handle.close()
  }
}

/** The mark may be half-written: then everything is taken again. */
async function readSent(path: string, size: number): Promise<number> {
  const text = await readFile(`${path}.sent`, 'utf8').catch(() => '0')
  const sent = Number(text)
  return Number.isSafeInteger(sent) && sent >= 0 && sent <= size ? sent : 0
}

/** So that the name of a new file survives the loss of power too. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
