import { open, readFile, rename, rm, truncate } from 'node:fs/promises'
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
  #last: Promise<void> = Promise.resolve()

  constructor(directory: string) {
    this.#path = join(directory, 'refused.ndjson')
    this.#taken = join(directory, 'refused-taken.ndjson')
  }

  /** Whoever was killed while writing left half a line: it goes, or the next one would end it. */
  async open(): Promise<void> {
    const bytes = await readFile(this.#path).catch(emptyWhereMissing)
    this.#bytes = bytes.lastIndexOf('\n') + 1
    if (this.#bytes < bytes.length) await truncate(this.#path, this.#bytes)
  }

  get bytes(): number {
    return this.#bytes
  }

  add(refused: readonly RefusedUsage[]): Promise<void> {
    return this.#inTurn(async () => {
      const bytes = Buffer.from(refused.map(lineOf).join(''))
      const handle = await open(this.#path, 'a')
      try {
        // A disk that was full may have taken a part of what was written before.
        await handle.truncate(this.#bytes)
        await handle.writeFile(bytes)
        await handle.datasync()
      } finally {
        await handle.close()
      }
      this.#bytes += bytes.length
    })
  }

  /** What is there, oldest first. */
  async list(): Promise<RefusedUsage[]> {
    return [...(await readLines(this.#taken)), ...(await readLines(this.#path))]
  }

  /**
   * Hands them over to `take`, which makes them safe, and forgets them then. Whoever is killed in
   * between, or fails, hands them over again.
   */
  handOver(take: (refused: readonly RefusedUsage[]) => Promise<void>): Promise<void> {
    return this.#inTurn(async () => {
      const handOverTaken = async () => {
        const taken = await readLines(this.#taken)
        if (taken.length > 0) await take(taken)
        await rm(this.#taken, { force: true })
      }
      // Those of a time before, which came to no end, and only then what has come since.
      await handOverTaken()
      await rename(this.#path, this.#taken).catch(ignoreMissing)
      this.#bytes = 0
      await handOverTaken()
    })
  }

  /**
   * Forgets those that somebody has given up, for good; returns them. Each file is replaced whole, so whoever is killed in
   * between has forgotten all of a file or none.
   */
  discard(isGivenUp: (refused: RefusedUsage) => boolean): Promise<RefusedUsage[]> {
    return this.#inTurn(async () => {
      const gone: RefusedUsage[] = []
      for (const path of [this.#taken, this.#path]) {
        const all = await readLines(path)
        const givenUp = new Set(all.filter((one) => isGivenUp(one)))
        if (givenUp.size === 0) continue
        const kept = Buffer.from(
          all
            .filter((one) => !givenUp.has(one))
            .map(lineOf)
            .join(''),
        )
        await replace(path, kept)
        if (path === this.#path) this.#bytes = kept.length
        gone.push(...givenUp)
      }
      return gone
    })
  }

  /** One after the other: what is added while others are handed over is none of those. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work)
    // Who waits for the turn does not care how the one before ended; its own caller is told.
    this.#last = done.then(
      () => {},
      () => {},
    )
    return done
  }
}

const lineOf = (one: RefusedUsage): string => `${JSON.stringify(one)}\n`

async function replace(path: string, bytes: Buffer): Promise<void> {
  const next = `${path}.next`
  const handle = await open(next, 'w')
  try {
    await handle.writeFile(bytes)
    await handle.datasync()
  } finally {
    await handle.close()
  }
  await rename(next, path)
}

/** The last line may be half-written: its event was not acknowledged as refused, and is sent again. */
async function readLines(path: string): Promise<RefusedUsage[]> {
  const bytes = await readFile(path).catch(emptyWhereMissing)
  return bytes
    .toString()
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as RefusedUsage)
}

function emptyWhereMissing(error: unknown): Buffer {
  ignoreMissing(error)
  return Buffer.alloc(0)
}

function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
}
