import { CamelCasePlugin, Kysely, PostgresDialect, type Transaction } from 'kysely'
import pg from 'pg'
import type { Database } from '../store/schema.ts'
import { Client } from './client.ts'
import { applicationName } from './presence.ts'
import { typeParsers } from './type-parsers.ts'

export type Db = Kysely<Database>
export type Trx = Transaction<Database>

export interface Connection {
  /** Typed queries; column names are camelCase here and snake_case in SQL, keys inside JSON stay. */
  readonly db: Db
  /** For hot statements written as SQL. */
  readonly pool: pg.Pool
  close(): Promise<void>
}

export interface ConnectOptions {
  readonly poolSize?: number
  /** How long somebody waits for a connection; 10 seconds unless said. */
  readonly patienceMs?: number
  /** A connection broke; the pool replaces it. */
  readonly onBroken?: (error: Error) => void
}

/**
 * Postgres restarts, and every connection ends: the idle ones, and those that a transaction holds between
 * two statements. Each says so by an event that ends the process where nobody listens. Whoever holds one
 * learns of it by the next statement; the pool replaces it.
 */
export function surviveBrokenConnections(pool: pg.Pool, onBroken: (error: Error) => void = () => {}): void {
  pool.on('error', onBroken)
  // The pool listens only to idle ones.
  pool.on('connect', (client) => client.on('error', () => {}))
}

/** Opens a pool. Connects on first use: {@link waitForDatabase} is what tells whether it can. */
export function connect(url: string, options: ConnectOptions = {}): Connection {
  const pool = new pg.Pool({
    connectionString: url,
    max: options.poolSize ?? 10,
    application_name: applicationName,
    // Hours and days in SQL are UTC, whatever the server's zone.
    options: '-c timezone=UTC',
    types: typeParsers,
    Client,
    pipeline: true,
    keepAlive: true,
    connectionTimeoutMillis: options.patienceMs ?? 10_000,
    idle_in_transaction_session_timeout: 60_000,
  })
  surviveBrokenConnections(pool, options.onBroken)
  const db = new Kysely<Database>({
    dialect: new PostgresDialect({ pool }),
    plugins: [new CamelCasePlugin({ maintainNestedObjectKeys: true })],
  })
  return { db, pool, close: () => db.destroy() }
}
