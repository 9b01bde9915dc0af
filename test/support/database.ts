import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Connection, connect } from '@lockstep/service/postgres/connect'
import { startEmbeddedPostgres } from '@lockstep/service/postgres/embedded'
import { migrate } from '@lockstep/service/postgres/migrate'
import pg from 'pg'

/** A Postgres for tests, with a migrated database to copy from. */
export interface TestServer {
  readonly templateUrl: string
  stop(): Promise<void>
}

export interface TestDatabase extends Connection {
  readonly url: string
  /** Closes the connection and removes the database. */
  drop(): Promise<void>
}

const TEMPLATE = 'LOCKSTEP_TEST_TEMPLATE'

/** Starts an embedded Postgres in a temporary folder, or uses the server of TEST_DATABASE_URL. */
export async function startTestServer(): Promise<TestServer> {
  const own = process.env.TEST_DATABASE_URL
  const server = own ? { url: own, stop: async () => {} } : await startThrowAway()
  const name = newName('template')
  await administer(server.url, `create database ${name}`)
  const templateUrl = withName(server.url, name)
  await migrate(templateUrl)
  return {
    templateUrl,
    stop: async () => {
      await administer(server.url, `drop database if exists ${name} with (force)`)
      await server.stop()
    },
  }
}

async function startThrowAway(): Promise<{ url: string; stop(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'lockstep test '))
  // Root's Postgres runs as another user, who has to get in.
  await chmod(folder, 0o755)
  const postgres = await startEmbeddedPostgres({ directory: join(folder, 'postgres'), durable: false })
  return {
    url: postgres.url,
    stop: async () => {
      await postgres.stop({ discard: true })
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Makes the server known to the test files, which run in processes of their own. */
export function shareTestServer({ templateUrl }: TestServer): void {
  process.env[TEMPLATE] = templateUrl
}

/**
 * A migrated database of its own for one test file:
 *
 * ```ts
 * const database = await newDatabase()
 * afterAll(() => database.drop())
 * ```
 */
export function newDatabase(): Promise<TestDatabase> {
  const template = templateUrl()
  return make(template, `template ${databaseOf(template)}`)
}

/** An empty one, on the server of the tests or on another. */
export function newEmptyDatabase(serverUrl: string = templateUrl()): Promise<TestDatabase> {
  return make(serverUrl, 'template template0')
}

/** A database as it is at this moment, in a second one: yesterday's backup, to be restored tomorrow. */
export async function backupOf({ url }: TestDatabase): Promise<TestDatabase> {
  const name = databaseOf(url)
  // A template must have no connection while it is copied. The pool opens new ones afterwards.
  await administer(url, `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`)
  return make(url, `template ${name}`)
}

function templateUrl(): string {
  const url = process.env[TEMPLATE]
  if (!url) throw new Error(`${TEMPLATE} is not set: run tests through vitest, or shareTestServer() first.`)
  return url
}

async function make(serverUrl: string, from: string): Promise<TestDatabase> {
  const name = newName('test')
  await administer(serverUrl, `create database ${name} ${from}`)
  const url = withName(serverUrl, name)
  // However slow the machine is: it is not the time that is tested.
  const connection = connect(url, { poolSize: 20, patienceMs: 600_000 })
  return {
    ...connection,
    url,
    drop: async () => {
      await connection.close()
      await administer(serverUrl, `drop database if exists ${name} with (force)`)
    },
  }
}

/** One statement from outside: a template must have no connection while it is copied. */
async function administer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: withName(url, 'postgres') })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

const newName = (kind: string) => `lockstep_${kind}_${randomBytes(6).toString('hex')}`

const databaseOf = (url: string) => new URL(url).pathname.slice(1)

function withName(url: string, name: string): string {
  const other = new URL(url)
  other.pathname = `/${name}`
  return other.href
}
