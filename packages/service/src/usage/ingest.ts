import { Problem } from '@lockstep/core/problem'
import type { Arrivals, Receipt } from './arrival.ts'

/** Takes usage in; one for each process. */
export interface Ingest {
  /** Answers when everything that is new is committed; fails when nothing of it is. */
  take(arrivals: Arrivals): Promise<Receipt>
  /** Events that wait for their turn. */
  waiting(): number
  /** Takes no more, and ends when what was taken is answered. */
  close(): Promise<void>
}

/** What became of one request. */
export type Outcome = { readonly receipt: Receipt } | { readonly error: unknown }

/** Writes requests down in one go. Answers one outcome for each, in their order; never throws. */
export type Write = (requests: readonly Arrivals[]) => Promise<readonly Outcome[]>

export interface IngestOptions {
  /** Transactions at a time. */
  readonly lanes?: number
  /** A further lane opens when so many requests wait, or when they have waited so long. */
  readonly furtherLaneFrom?: number
  readonly furtherLaneAfterMs?: number
  /** Events in a transaction; a request is never divided. */
  readonly batchSize?: number
  /** Events that may wait; what comes beyond is turned away at once. */
  readonly maxWaiting?: number
  /** A request that has waited longer is turned away instead of being written. */
  readonly patienceSeconds?: number
}

interface Waiting {
  readonly arrivals: Arrivals
  readonly since: number
  readonly settle: (outcome: Outcome) => void
}

/**
 * Group commit: while a transaction runs requests wait, and the next one takes as many of them as fit.
 * So a transaction carries more the more there is to do, and nobody waits when there is little.
 *
 * A second transaction beside the first begins when much waits, since two small ones cost more than one;
 * or when the first one takes long, because it may be waiting for somebody at the gate.
 */
export function newIngest(write: Write, options: IngestOptions = {}): Ingest {
  const {
    lanes = 2,
    furtherLaneFrom = 8,
    furtherLaneAfterMs = 50,
    batchSize = 1600,
    maxWaiting = 20_000,
    patienceSeconds = 10,
  } = options
  let queue: Waiting[] = []
  let waiting = 0
  let busy = 0
  let woken = false
  let impatience: NodeJS.Timeout | undefined
  let closing = false
  let drained: () => void = () => {}

  const take = (arrivals: Arrivals): Promise<Receipt> => {
    if (closing) throw turnedAway('The service is shutting down.')
    if (waiting + arrivals.length > maxWaiting) throw turnedAway('Too many events are waiting to be written.')
    return new Promise((resolve, reject) => {
      const settle = (outcome: Outcome) => {
        if ('receipt' in outcome) resolve(outcome.receipt)
        else reject(outcome.error)
      }
      queue.push({ arrivals, since: performance.now(), settle })
      waiting += arrivals.length
      wake()
    })
  }

  const mayOpen = () => queue.length > 0 && (busy === 0 || (busy < lanes && queue.length >= furtherLaneFrom))

  const wake = () => {
    if (woken || busy === lanes || queue.length === 0) return
    if (mayOpen()) {
      woken = true
      // Not at once: what arrives in the same turn of the event loop shares the transaction.
      setImmediate(() => {
        woken = false
        while (mayOpen()) void run()
      })
    } else {
      impatience ??= setTimeout(() => {
        if (busy < lanes && queue.length > 0) void run()
      }, furtherLaneAfterMs)
    }
  }

  const run = async () => {
    clearTimeout(impatience)
    impatience = undefined
    busy += 1
    const batch = nextBatch()
    if (batch.length > 0) {
      const outcomes = await write(batch.map(({ arrivals }) => arrivals))
      batch.forEach(({ settle }, i) => {
        settle(outcomes[i] ?? { error: new Error('A request got no outcome.') })
      })
    }
    busy -= 1
    if (queue.length > 0) wake()
    else if (busy === 0) drained()
  }

  const nextBatch = (): Waiting[] => {
    let size = 0
    let count = 0
    for (const { arrivals } of queue) {
      if (count > 0 && size + arrivals.length > batchSize) break
      size += arrivals.length
      count += 1
    }
    const batch = queue.slice(0, count)
    queue = queue.slice(count)
    waiting -= size
    const oldest = performance.now() - patienceSeconds * 1000
    const late = batch.filter(({ since }) => since < oldest)
    for (const { settle } of late) settle({ error: turnedAway('The request waited too long for its turn.') })
    return late.length === 0 ? batch : batch.filter(({ since }) => since >= oldest)
  }

  return {
    take,
    waiting: () => waiting,
    close: async () => {
      closing = true
      if (busy === 0 && queue.length === 0) return
      await new Promise<void>((resolve) => {
        drained = resolve
      })
    },
  }
}

const turnedAway = (detail: string) => new Problem('overloaded', detail, { retryAfterSeconds: 1 })
