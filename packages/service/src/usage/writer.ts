import { setTimeout as delay } from 'node:timers/promises'
import { Problem } from '@lockstep/core/problem'
import pg from 'pg'
import type { Clock } from '../clock.ts'
import { surviveBrokenConnections } from '../postgres/connect.ts'
import { typeParsers } from '../postgres/type-parsers.ts'
import { codeOf, isDatabaseUnavailable } from '../postgres/unavailable.ts'
import type { Arrivals } from './arrival.ts'
import { coalesce } from './batch.ts'
import type { Outcome, Write } from './ingest.ts'
import type { Months } from './months.ts'
import { writeBatch } from './write-batch.ts'

/** Connections that do nothing but write usage. */
export interface Writer {
  readonly write: Write
  close(): Promise<void>
}

interface WriterOptions {
  readonly databaseUrl: string
  readonly months: Months
  readonly clock: Clock
  readonly lanes: number
  /** How long a connection may take to be there; 5 seconds unless said. */
  readonly patienceMs?: number | undefined
}

const ATTEMPTS = 5
const STATEMENT_SECONDS = 15

export function newWriter({ databaseUrl, months, clock, lanes, patienceMs = 5000 }: WriterOptions): Writer {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: lanes,
    application_name: 'lockstep usage',
    options: '-c timezone=UTC -c plan_cache_mode=force_generic_plan',
    types: typeParsers,
    keepAlive: true,
    connectionTimeoutMillis: patienceMs,
    statement_timeout: STATEMENT_SECONDS * 1000,
  })
  surviveBrokenConnections(pool)

  /** One transaction. A connection on which something failed is not used again: closing it undoes. */
  const attempt = async (requests: readonly Arrivals[]): Promise<Outcome[]> => {
    await months.ensure(timesOf(requests))
    const client = await pool.connect()
    try {
      const receipts = await writeBatch(client, coalesce(requests), { months, receivedAt: clock.now() })
      client.release()
      return receipts.map((receipt) => ({ receipt }))
    } catch (error) {
      client.release(true)
      throw error
    }
  }

  const write: Write = async (requests) => {
    for (let attempts = 1; ; attempts += 1) {
      try {
        return await attempt(requests)
      } catch (error) {
        const remedy = remedyOf(error)
        if (remedy === 'repeat' && attempts < ATTEMPTS) {
          months.forget()
          await delay(5 * attempts)
        } else if (remedy === 'divide' && requests.length > 1) {
          // Whatever Postgres does not take was valid by our rules: nobody else is to suffer from it.
          const outcomes = []
          for (const request of requests) outcomes.push(...(await write([request])))
          return outcomes
        } else return requests.map(() => ({ error: answerTo(error, remedy) }))
      }
    }
  }
  return { write, close: () => pool.end() }
}

function* timesOf(requests: readonly Arrivals[]) {
  for (const arrivals of requests) for (const { time } of arrivals) yield time
}

type Remedy = 'repeat' | 'divide' | 'wait'

function remedyOf(error: unknown): Remedy {
  switch (codeOf(error) ?? '') {
    case '40001': // serialization failure
    case '40P01': // deadlock
      return 'repeat'
    case '23514': // a check's violation, which names it; or a month's partition is gone
      return (error as pg.DatabaseError).constraint === undefined ? 'repeat' : 'divide'
    case '57014': // cancelled because it took too long
      return 'wait'
    default:
      // It had broken while it was idle: nothing was sent over it.
      if (error instanceof Error && error.message.endsWith('is not queryable')) return 'repeat'
      return isDatabaseUnavailable(error) ? 'wait' : 'divide'
  }
}

function answerTo(error: unknown, remedy: Remedy): unknown {
  if (remedy === 'divide') return error
  return new Problem('database_unavailable', 'The usage could not be written. Send it again as it is.', {
    cause: error,
    retryAfterSeconds: 1,
  })
}
