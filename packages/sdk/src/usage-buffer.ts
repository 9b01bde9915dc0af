import { mkdir } from 'node:fs/promises'
import { Problem } from '@lockstep/core/problem'
import { parseUsageEvent } from '@lockstep/core/usage-event'
import type { Client } from './client.ts'
import { ProblemError } from './problem-error.ts'
import { defaultRetry } from './retry.ts'
import type { UsageEvent } from './usage.ts'
import { lockDirectory } from './usage-buffer/directory-lock.ts'
import { Journal, type Piece } from './usage-buffer/journal.ts'
import { type RefusedUsage, SetAside } from './usage-buffer/set-aside.ts'

export type { RefusedUsage } from './usage-buffer/set-aside.ts'

export interface UsageBufferOptions {
  readonly client: Pick<Client, 'usage'>
  /** On a disk that outlives the process; of one process at a time. Made when it is not there. */
  readonly directory: string
  /** What may wait on the disk; 256 MB unless given. Beyond, `record` refuses. */
  readonly maxBytes?: number
  /**
   * When `record` resolves. `disk`: when the event survives the loss of power, which is the rule.
   * `process`: when it survives the end of this process, which costs no wait for the disk.
   */
  readonly durability?: 'disk' | 'process'
  /** Events that come within so many seconds share a request; 1 unless given. */
  readonly gatherSeconds?: number
  /** The longest pause between two tries, unless the service asks for a longer one; 60 unless given. */
  readonly maxDelaySeconds?: number
  /** Told of each try that failed and will be made again: nobody there, no permission, too much. */
  readonly onProblem?: (error: unknown, nextTryInSeconds: number) => void
  /** Told of events that the service did not take. They are set aside: see {@link UsageBuffer.refused}. */
  readonly onRefused?: (refused: readonly RefusedUsage[]) => void
  /** Told of events whose `source` and `id` the service knows with another content: the first one stands. */
  readonly onConflict?: (events: readonly UsageEvent[]) => void
  readonly random?: () => number
  readonly sleep?: (seconds: number, signal: AbortSignal | undefined) => Promise<void>
}

/** The buffer is full: nothing was recorded. The service cannot be reached, or is too slow. */
export class UsageBufferFull extends Error {
  constructor(maxBytes: number) {
    super(`The usage buffer holds ${maxBytes} bytes: the event was not recorded.`)
    this.name = 'UsageBufferFull'
  }
}

/** Of one event in JSON; the service takes less. */
const MAX_LINE_BYTES = 64 * 1024
const FIRST_DELAY_SECONDS = 0.5

interface Waiting {
  readonly line: string
  readonly bytes: number
  resolve(): void
  reject(error: unknown): void
}

/**
 * Usage on its way to the service, on disk until it is answered: nothing that was recorded is lost,
 * whoever is down or killed. Sent again it counts once, by its `source` and `id`.
 *
 * ```ts
 * const usage = await openUsageBuffer({ client: lockstep, directory: '/var/lib/my-app/usage' })
 * await usage.record({ source: 'cluster-eu', id: 'job-81274', type: 'compute_seconds', … })
 * ```
 */
export class UsageBuffer {
  readonly #options: UsageBufferOptions
  readonly #journal: Journal
  readonly #setAside: SetAside
  readonly #unlock: () => Promise<void>
  readonly #closing = new AbortController()
  #waiting: Waiting[] = []
  #writing: Promise<void> | undefined
  #wake: () => void = () => {}
  #nudged = false
  #flushing: { resolve(): void; reject(error: unknown): void }[] = []
  readonly #sending: Promise<void>

  /** Use {@link openUsageBuffer}. */
  constructor(
    options: UsageBufferOptions,
    parts: { journal: Journal; setAside: SetAside; unlock: () => Promise<void> },
  ) {
    this.#options = options
    this.#journal = parts.journal
    this.#setAside = parts.setAside
    this.#unlock = parts.unlock
    this.#sending = this.#send()
  }

  /**
   * Resolves when the event is safe on disk. Throws when it is not: a {@link UsageBufferFull}, a
   * `Problem` with what is wrong with the event, or what the disk says; then record the same event,
   * of the same `id`, again.
   */
  async record(event: UsageEvent): Promise<void> {
    if (this.#closing.signal.aborted) throw new Error('The usage buffer is closed.')
    const line = lineOf(event)
    const bytes = Buffer.byteLength(line)
    const { maxBytes = 256 * 1024 * 1024 } = this.#options
    const ahead = this.#waiting.reduce((sum, one) => sum + one.bytes, 0)
    if (this.bytes + ahead + bytes > maxBytes) throw new UsageBufferFull(maxBytes)
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push({ line, bytes, resolve, reject })
      this.#writing ??= this.#write()
    })
  }

  /** What waits on the disk, in bytes; 0 when everything was answered. */
  get bytes(): number {
    return this.#journal.bytes + this.#setAside.bytes
  }

  /** Resolves when everything that was recorded is answered, or set aside. */
  async flush(): Promise<void> {
    while (this.#writing) await this.#writing
    if (this.#closing.signal.aborted) throw new Error('The usage buffer is closed.')
    await new Promise<void>((resolve, reject) => {
      this.#flushing.push({ resolve, reject })
      this.#nudge()
    })
  }

  /** What the service did not take, with its reasons, oldest first. */
  refused(): Promise<RefusedUsage[]> {
    return this.#setAside.list()
  }

  /** Sends what was set aside again: after the customer was registered, the meter made. */
  async retryRefused(): Promise<void> {
    await this.#setAside.handOver(async (refused) => {
      for (const { event } of refused) await this.record(event)
    })
  }

  /**
   * Gives up some of what was set aside, for good: a customer who never came, a meter that will not be made. They are neither
   * sent again nor counted in `bytes`. Returns them; what is not given up stays. Nothing is given up by itself.
   */
  discardRefused(isGivenUp: (refused: RefusedUsage) => boolean): Promise<RefusedUsage[]> {
    return this.#setAside.discard(isGivenUp)
  }

  /** Records no more and sends no more. What is not answered stays on the disk, for the next process. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.#nudge()
    while (this.#writing) await this.#writing
    await this.#sending
    await this.#journal.close()
    await this.#unlock()
  }

  /** What came while the disk was busy goes to it together. */
  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting
      this.#waiting = []
      try {
        await this.#journal.append(batch.map(({ line }) => line).join(''))
        for (const { resolve } of batch) resolve()
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    this.#writing = undefined
    this.#nudge()
  }

  /** Until the buffer closes. Whatever fails, the service or the disk, is tried again. */
  async #send(): Promise<void> {
    const { signal } = this.#closing
    for (let failures = 0; !signal.aborted; ) {
      try {
        this.#nudged = false
        const piece = await this.#journal.read()
        if (piece) await this.#deliver(piece)
        else await this.#rest()
        failures = 0
      } catch (error) {
        failures += 1
        await this.#pause(error, failures)
      }
    }
    for (const { reject } of this.#flushing.splice(0)) reject(new Error('The usage buffer was closed.'))
  }

  /** Until something comes, and as long as more of it may be gathered. */
  async #rest(): Promise<void> {
    const { signal } = this.#closing
    const { gatherSeconds = 1, sleep = defaultRetry.sleep } = this.#options
    for (const { resolve } of this.#flushing.splice(0)) resolve()
    if (this.#nudged || signal.aborted) return
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    if (gatherSeconds > 0 && this.#flushing.length === 0) await sleep(gatherSeconds, signal).catch(() => {})
  }

  /** Something came, or somebody asks. */
  #nudge(): void {
    this.#nudged = true
    this.#wake()
  }

  /** Until it is answered, or the buffer closes. */
  async #deliver(piece: Piece): Promise<void> {
    let events = piece.lines.map((line) => JSON.parse(line) as UsageEvent)
    for (let failures = 0; !this.#closing.signal.aborted; ) {
      try {
        events = await this.#deliverSome(events)
        if (events.length > 0) continue
        await this.#journal.done(piece)
        return
      } catch (error) {
        failures += 1
        await this.#pause(error, failures)
      }
    }
  }

  async #pause(error: unknown, failures: number): Promise<void> {
    const { signal } = this.#closing
    if (signal.aborted) return
    const { sleep = defaultRetry.sleep, onProblem } = this.#options
    const delay = this.#delayAfter(error, failures)
    onProblem?.(error, delay)
    // Closing ends the pause early.
    await sleep(delay, signal).catch(() => {})
  }

  /** One request with as many of them as it takes. Answers what is left to send. */
  async #deliverSome(events: readonly UsageEvent[]): Promise<UsageEvent[]> {
    const { client, onConflict } = this.#options
    try {
      const { conflicts } = await client.usage.send(events, { signal: this.#closing.signal })
      const inConflict = conflicts.flatMap(({ index }) => events[index] ?? [])
      if (inConflict.length > 0) onConflict?.(inConflict)
      return []
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      if (error.code === 'usage_event_invalid') return this.#withoutRefused(events, error)
      if (error.code === 'body_too_large' && events.length > 1) {
        const half = Math.ceil(events.length / 2)
        return [...(await this.#deliverSome(events.slice(0, half))), ...events.slice(half)]
      }
      throw error
    }
  }

  /** The service names every event that is wrong, and took none: these are set aside, the rest goes again. */
  async #withoutRefused(events: readonly UsageEvent[], error: ProblemError): Promise<UsageEvent[]> {
    const indexOf = (pointer: string) => Number(/^#\/(\d+)/.exec(pointer)?.[1] ?? Number.NaN)
    const refused = events.flatMap((event, i) => {
      const faults = error.faults.filter(({ pointer }) => indexOf(pointer) === i)
      return faults.length > 0 ? [{ event, faults }] : []
    })
    if (refused.length === 0) throw error
    await this.#setAside.add(refused)
    this.#options.onRefused?.(refused)
    const out = new Set(refused.map(({ event }) => event))
    return events.filter((event) => !out.has(event))
  }

  /** As long as the service asks for, else longer each time: half of it fixed, half of it by chance. */
  #delayAfter(error: unknown, failures: number): number {
    if (error instanceof ProblemError && error.retryAfterSeconds !== undefined) return error.retryAfterSeconds
    const { maxDelaySeconds = 60, random = Math.random } = this.#options
    const longest = Math.min(maxDelaySeconds, FIRST_DELAY_SECONDS * 2 ** (failures - 1))
    return longest / 2 + (longest / 2) * random()
  }
}

/** Opens the buffer in a directory, with what a process before left there: that is sent at once. */
export async function openUsageBuffer(options: UsageBufferOptions): Promise<UsageBuffer> {
  const { directory, durability = 'disk' } = options
  const journal = new Journal({ directory, sync: durability === 'disk' })
  await mkdir(directory, { recursive: true })
  const unlock = await lockDirectory(directory)
  try {
    await journal.open()
    const setAside = new SetAside(directory)
    await setAside.open()
    return new UsageBuffer(options, { journal, setAside, unlock })
  } catch (error) {
    await unlock()
    throw error
  }
}

/** Whatever can be told without the service is told before anything is recorded. */
function lineOf(event: UsageEvent): string {
  const json = JSON.stringify(event)
  const { faults } = parseUsageEvent({ specversion: '1.0', ...(JSON.parse(json) as object) }, '#')
  if (Buffer.byteLength(json) > MAX_LINE_BYTES) {
    faults.push({ pointer: '#', code: 'too_long', detail: `An event has at most ${MAX_LINE_BYTES} bytes.` })
  }
  if (faults.length === 0) return `${json}\n`
  throw new Problem('usage_event_invalid', faults.map(({ detail }) => detail).join(' '), { faults })
}
