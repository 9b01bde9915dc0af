import type { Headers } from '@lockstep/core/usage-binary'
import { defaultTimeRules, type TimeRules } from '@lockstep/core/usage-rules'
import type { Clock } from '../clock.ts'
import type { Metrics } from '../metrics.ts'
import type { Db } from '../postgres/connect.ts'
import type { UsageCorrection } from '../store/usage-corrections.ts'
import type { Arrivals, Receipt } from './arrival.ts'
import { type CorrectionDeed, correctUsage, type WantedCorrection } from './correct.ts'
import { newDirectory } from './directory.ts'
import { foresee } from './foresee.ts'
import { type IngestOptions, newIngest } from './ingest.ts'
import { observeUsage } from './metrics.ts'
import { newMonths } from './months.ts'
import { readRequest } from './read-request.ts'
import { readSent } from './sent.ts'
import { newTurns } from './turns.ts'
import { newWriter } from './writer.ts'

/** The way in for usage; one for each process. */
export interface Usage {
  /**
   * Takes one event or a list in, whole or not at all, in whichever form it is written ({@link readSent}).
   * Answers after the commit.
   */
  take(body: unknown, headers?: Headers): Promise<Receipt>
  /** What would become of it as things stand; takes nothing. */
  foresee(body: unknown, headers?: Headers): Promise<Receipt>
  /**
   * Reads events that correct others; nothing is taken in. `pointer` is where their list stands. However
   * late they come: a correction is for what was not told in time.
   */
  read(events: readonly unknown[], pointer: string): Promise<Arrivals>
  correct(
    wanted: WantedCorrection,
    deed: CorrectionDeed,
    options: { readonly dryRun: boolean },
  ): Promise<UsageCorrection>
  /** Takes no more, and ends when everything that was taken is answered. */
  close(): Promise<void>
}

export interface UsageDeps {
  readonly db: Db
  readonly databaseUrl: string
  readonly clock: Clock
  readonly metrics?: Metrics
  readonly times?: TimeRules
  /** How much may wait, and for how long. */
  readonly queue?: Pick<IngestOptions, 'maxWaiting' | 'patienceSeconds'>
  /** How long a connection that writes may take to be there. */
  readonly patienceMs?: number
}

/** Transactions at a time: one is written while the next one is read. */
const LANES = 2

/** Events of lists that are read in a turn of the event loop: about a millisecond. One alone takes no turn. */
const EVENTS_PER_TURN = 100

export function openUsage(deps: UsageDeps): Usage {
  const { db, databaseUrl, clock, metrics, times = defaultTimeRules, queue, patienceMs } = deps
  const directory = newDirectory({ db, clock })
  const months = newMonths({ db })
  const writer = newWriter({ databaseUrl, months, clock, lanes: LANES, patienceMs })
  const ingest = newIngest(writer.write, { ...queue, lanes: LANES })
  const turns = newTurns(EVENTS_PER_TURN)
  const observe = metrics && observeUsage(metrics, ingest)
  const read = (body: unknown, headers?: Headers) =>
    readRequest({ directory, times }, readSent(body, headers))
  return {
    foresee: async (body, headers) => foresee(db, await read(body, headers)),
    take: async (body, headers) => {
      if (Array.isArray(body)) await turns.begin(body.length)
      const receipt = await ingest.take(await read(body, headers))
      observe?.(receipt)
      return receipt
    },
    read: (events, pointer) =>
      readRequest({ directory, times: { ...times, lateDays: null } }, readSent(events, {}, pointer)),
    correct: (wanted, deed, options) => correctUsage({ db, clock, months }, wanted, deed, options),
    close: async () => {
      await ingest.close()
      await writer.close()
    },
  }
}
