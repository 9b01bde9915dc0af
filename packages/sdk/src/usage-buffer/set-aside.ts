import { open, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Fault } from '@lockstep/core/problem'
import type { UsageEvent } from '../usage.ts'

/** An event that the service did not take, and why. */
export interface RefusedUsage {
  readonly event: UsageEvent
  readonly faults: readonly Fault[]
}

/**
 * Events that the service refused, kept in a file until somebody has put right what was wrong: a
 * customer that is not registered yet, a meter that is missing. So one of them holds nobody up.
 */
export class SetAside {
  readonly #path: string
  readonly #taken: string
  #bytes = 0

  constructor(directory: string) {
    this.#path = join(directory, 'refused.ndjson')
    this.#taken = join(directory, 'refused-taken.ndjson')
  }

  async open(): Promise<void> {
    this.#bytes = await stat(this.#path).then(
      ({ size }) => size,
      () => 0,
    )
  }

  get bytes(): number {
    return this.#bytes
  }

  async add(refused: readonly RefusedUsage[]): Promise<void> {
    const bytes = Buffer.from(refused.map((one) => `${JSON.stringify(one)}\n`).join(''))
    const handle = await open(this.#path, 'a')
    try {
      await handle.writeFile(bytes)
      await handle.datasync()
    } finally {
      await handle.close()
    }
    this.#bytes += bytes.length
  }

  /** What is there, oldest first. */
  list(): Promise<RefusedUsage[]> {
    return readLines(this.#path)
  }

  /**
   * Hands them over to `take`, which makes them safe, and forgets them then. Whoever is killed in
   * between hands them over again.
   */
  async handOver(take: (refused: readonly RefusedUsage[]) => Promise<void>): Promise<void> {
    const before = await readLines(this.#taken)
    if (before.length > 0) await take(before)
    await rename(this.#path, this.#taken).catch(ignoreMissing)
    this.#bytes = 0
    const now = before.length > 0 ? [] : await readLines(this.#taken)
    if (now.length > 0) await take(now)
    await rm(this.#taken, { force: true })
  }
}

/** The last line may be half-written: its event was not acknowledged as refused, and is sent again. */
async function readLines(path: string): Promise<RefusedUsage[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    ignoreMissing(error)
    return ''
  })
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as RefusedUsage)
}

function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
}
