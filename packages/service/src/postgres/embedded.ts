import { randomBytes } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { CannotStart } from '../cannot-start.ts'
import { usableBinaries } from './embedded/binaries.ts'
import { prepareHome } from './embedded/cluster-home.ts'
import { type PostgresGone, watchPostgres } from './embedded/gone.ts'
import { hasCluster, initialize } from './embedded/initialize.ts'
import { launch } from './embedded/launch.ts'
import { findPostmaster, forgetPostmaster, isAlive, stopPostmaster } from './embedded/postmaster.ts'
import { canReach, chooseRunAs, type RunAs } from './embedded/run-as.ts'
import { withStartLock } from './embedded/start-lock.ts'

const USER = 'lockstep'
const DATABASE = 'lockstep'
const ANSWER_SECONDS = 30

export interface EmbeddedOptions {
  /** The cluster's folder; made on first start. */
  readonly directory?: string
  /** False for tests: faster, but a crash of the machine may lose everything. */
  readonly durable?: boolean
}

export interface EmbeddedPostgres {
  readonly url: string
  /** Another process started it and is still there: it is that one's to stop. */
  readonly attached: boolean
  /** Settles when it has ended and we had not stopped it: it was killed, or its owner stopped it. */
  readonly gone: Promise<PostgresGone>
  /** Stops it, unless it is another's. `discard` skips writing everything down. */
  stop(options?: { discard?: boolean }): Promise<void>
}

/** What the next start needs to know; beside the data, for its owner alone. */
interface Remembered {
  readonly password: string
  readonly port: number
  /** Who started Postgres. When that process is gone, Postgres belongs to whoever comes next. */
  readonly startedBy: number
}

/**
 * Starts the embedded Postgres, or attaches to the one that already runs in this directory: a second
 * process shares it, and one whose starter was killed is taken over. It outlives us only if we are
 * killed.
 */
export async function startEmbeddedPostgres(options: EmbeddedOptions = {}): Promise<EmbeddedPostgres> {
  const directory = resolve(options.directory ?? '.lockstep/postgres')
  const runAs = await chooseRunAs(join(directory, 'data'))
  const home = await prepareHome(directory, runAs)
  if (!(await canReach(runAs, join(home, 'data')))) {
    throw new CannotStart(
      `Postgres cannot run as root, and the user it runs as cannot reach ${home}.`,
      `Delete ${directory} (its data is lost), open the folders above it, or set DATABASE_URL.`,
    )
  }
  return withStartLock(join(home, 'starting.lock'), () => attachOrStart(home, runAs, options.durable ?? true))
}

async function attachOrStart(home: string, runAs: RunAs, durable: boolean): Promise<EmbeddedPostgres> {
  const data = join(home, 'data')
  const remembered = await recall(home)
  const running = await findPostmaster(data)
  if (running && remembered) {
    const url = urlOf(remembered.password, running.port)
    if (await answers(url)) {
      const attached = isAlive(remembered.startedBy)
      if (!attached) await remember(home, { ...remembered, startedBy: process.pid })
      await createDatabase(url)
      return handle(url, home, running.pid, attached)
    }
    await stopPostmaster(data)
  }

  const binaries = await usableBinaries(runAs, home)
  const exists = await hasCluster(home)
  if (exists && !remembered) {
    throw new CannotStart(
      `The password of the embedded database is gone: ${join(home, 'connection.json')} is missing.`,
      `Restore that file. If the data may be thrown away, delete ${home}.`,
    )
  }
  const password = exists && remembered ? remembered.password : randomBytes(24).toString('base64url')
  if (!exists) {
    await remember(home, { password, port: 0, startedBy: process.pid })
    await initialize({ initdb: binaries.initdb, home, runAs, durable, user: USER, password })
  }
  await forgetPostmaster(data)
  const { port, pid } = await launch({
    postgres: binaries.postgres,
    home,
    runAs,
    durable,
    port: remembered?.port ?? 0,
  })
  await remember(home, { password, port, startedBy: process.pid })
  const url = urlOf(password, port)
  await createDatabase(url)
  return handle(url, home, pid, false)
}

function handle(url: string, home: string, pid: number, attached: boolean): EmbeddedPostgres {
  const watch = watchPostgres(pid, join(home, 'postgres.log'))
  const { gone } = watch
  if (attached) return { url, attached, gone, stop: async () => watch.stop() }
  // Whoever ends the process without stopping it in order has it stopped at least.
  const stopAtExit = () => {
    if (isAlive(pid)) process.kill(pid, 'SIGINT')
  }
  process.once('exit', stopAtExit)
  return {
    url,
    attached,
    gone,
    stop: async (options) => {
      watch.stop()
      process.off('exit', stopAtExit)
      await stopPostmaster(join(home, 'data'), options)
    },
  }
}

const urlOf = (password: string, port: number) =>
  `postgres://${USER}:${password}@127.0.0.1:${port}/${DATABASE}`

/** Whether it lets us in. One that is still starting up is waited for. */
async function answers(url: string): Promise<boolean> {
  const deadline = performance.now() + ANSWER_SECONDS * 1000
  for (;;) {
    const code = await tryConnect(url)
    if (code === 'ok' || code === '3D000') return true
    if (code !== '57P03' || performance.now() > deadline) return false
    await delay(100)
  }
}

async function tryConnect(url: string): Promise<string | undefined> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 })
  client.on('error', () => {})
  try {
    await client.connect()
    return 'ok'
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : undefined
  } finally {
    await client.end().catch(() => {})
  }
}

/** On the first start, or when the first one was killed before it came to this. */
async function createDatabase(url: string): Promise<void> {
  if ((await tryConnect(url)) !== '3D000') return
  const maintenance = new URL(url)
  maintenance.pathname = '/postgres'
  const client = new pg.Client({ connectionString: maintenance.href })
  await client.connect()
  try {
    await client.query(`create database ${DATABASE}`)
  } finally {
    await client.end()
  }
}

async function recall(home: string): Promise<Remembered | undefined> {
  const text = await readFile(join(home, 'connection.json'), 'utf8').catch(() => undefined)
  return text === undefined ? undefined : (JSON.parse(text) as Remembered)
}

async function remember(home: string, remembered: Remembered): Promise<void> {
  const path = join(home, 'connection.json')
  await writeFile(`${path}.new`, `${JSON.stringify(remembered)}\n`, { mode: 0o600 })
  await rename(`${path}.new`, path)
}
