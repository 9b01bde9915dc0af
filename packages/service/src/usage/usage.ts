import type { Clock } from '../clock.ts'
import type { Metrics } from '../metrics.ts'
import type { Db } from '../postgres/connect.ts'
import type { Receipt } from './arrival.ts'
import { newDirectory } from './directory.ts'
import { newIngest } from './ingest.ts'
import { observeUsage } from './metrics.ts'
import { newMonths } from './months.ts'
import { readRequest } from './read-request.ts'
import { newWriter } from './writer.ts'

/** The way in for usage; one for each process. */
export interface Usage {
  /** Takes one event or a list in, whole or not at all. Answers after the commit. */
  take(body: unknown): Promise<Receipt>
  /** Takes no more, and ends when everything that was taken is answered. */
  close(): Promise<void>
}

export interface UsageDeps {
  readonly db: Db
  readonly databaseUrl: string
  readonly clock: Clock
  readonly metrics?: Metrics
}

/** Transactions at a time: one is written while the next one is read. */
const LANES = 2

export function openUsage({ db, databaseUrl, clock, metrics }: UsageDeps): Usage {
  const directory = newDirectory({ db, clock })
  const months = newMonths({ db })
  const writer = newWriter({ databaseUrl, months, clock, lanes: LANES })
  const ingest = newIngest(writer.write, { lanes: LANES })
  const observe = metrics && observeUsage(metrics, ingest)
  return {
    take: async (body) => {
      const receipt = await ingest.take(await readRequest(directory, body))
      observe?.(receipt)
      return receipt
    },
    close: async () => {
      await ingest.close()
      await writer.close()
    },
  }
}
