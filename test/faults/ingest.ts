import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type Client, createClient } from '@lockstep/sdk'
import { ConnectionError, ProblemError } from '@lockstep/sdk/problem-error'
import { startEmbeddedPostgres } from '@lockstep/service/postgres/embedded'
import { migrate } from '@lockstep/service/postgres/migrate'
import pg from 'pg'
import { freePort, type RunningProcess, startProcess } from '../support/process.ts'
import { seeded } from '../support/random.ts'
import { CUSTOMERS, END, eventAt, idOf, METERS, newLedger } from './ingest/events.ts'
import { lookAtTables } from './ingest/tables.ts'

export interface IngestRun {
  /** Different events; on top of them come the repetitions. */
  readonly events: number
  /** Of a service and of Postgres, in turn, under load. */
  readonly kills: number
  readonly seed: number
  /** Raw events are dropped meanwhile, a month or more at each kill; most of those months' events come late. */
  readonly expires?: boolean
  readonly onProgress?: (events: number) => void
}

export interface IngestVerdict {
  readonly sent: number
  readonly repeated: number
  /** Events that were dropped, or came for a month whose events had been. */
  readonly expired: number
  readonly breaches: readonly string[]
}

const BATCH = 1000
/** Of each batch, so many were sent before: three of ten. */
const REPEATED = 300
const IN_FLIGHT = 8
const SERVICES = 2
const MOST_STARTS = 5
const ADMIN_KEY = 'lk_admin_key_of_the_faults_0123456789abcdef'

/**
 * Sends usage of 400 days to two services on one database, three of each ten repeated long after and to
 * either of them, kills services and Postgres in the middle, and then counts what is there. Whoever gets
 * no answer sends the same again: so each event was answered 2xx in the end, and must be there once.
 */
export async function ingest(run: IngestRun): Promise<IngestVerdict> {
  const { events, kills, seed, expires = false, onProgress } = run
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-ingest-'))
  // Root's Postgres runs as another user, who has to get in.
  await chmod(folder, 0o755)
  const directory = join(folder, 'postgres')
  let postgres = await startEmbeddedPostgres({ directory })
  await migrate(postgres.url)
  await query(postgres.url, seedText())

  const ports = await Promise.all(Array.from({ length: SERVICES }, freePort))
  let killed = 0
  /** As a supervisor does: one that ended because Postgres was not there is started again. */
  const start = async (port: number, starts = 1): Promise<RunningProcess> => {
    const options = { port, env: { ...env(port, postgres.url), ...(expires && retention(killed / kills)) } }
    try {
      return await startProcess('packages/service/src/main.ts', options)
    } catch (error) {
      if (starts === MOST_STARTS) throw error
      return start(port, starts + 1)
    }
  }
  const services: RunningProcess[] = []
  for (const port of ports) services.push(await start(port))
  const clients = ports.map((port) =>
    createClient({ baseUrl: `http://127.0.0.1:${port}`, apiKey: ADMIN_KEY, retry: { attempts: 1 } }),
  )
  const random = seeded(seed)
  const ledger = newLedger(run)
  let [next, sent, repeated] = [0, 0, 0]
  let killing = Promise.resolve()

  /** Services and Postgres in turn, each when the one before is up again. */
  async function kill(nth: number): Promise<void> {
    if (nth % 2 === 0) {
      const [pid] = (await readFile(join(directory, 'data', 'postmaster.pid'), 'utf8')).split('\n')
      // An immediate shutdown: no checkpoint, every session is cut, what was committed is in the log.
      process.kill(Number(pid), 'SIGQUIT')
      postgres = await startEmbeddedPostgres({ directory })
      return
    }
    const which = random.below(SERVICES)
    await services[which]?.kill()
    const port = ports[which]
    if (port !== undefined) services[which] = await start(port)
  }

  /** Until it is answered, by whichever service. */
  async function insist<T>(ask: (client: Client) => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await ask(random.pick(clients))
      } catch (error) {
        if (!isOutage(error)) throw error
        await pause(20)
      }
    }
  }

  async function deliver(batch: readonly number[]): Promise<void> {
    const body = batch.map((index) => eventAt(index, run))
    const { conflicts } = await insist((client) => client.usage.send(body))
    if (conflicts.length > 0) throw new Error('An event was taken for another one.')
  }

  /** Killed as well, if it comes to that: the next one goes on. */
  async function expire(): Promise<void> {
    if (!expires) return
    await random
      .pick(clients)
      .usage.expire({ dryRun: false })
      .catch((error) => {
        if (!isOutage(error)) throw error
      })
  }

  async function produce(): Promise<void> {
    while (next < events) {
      const first = next
      next = Math.min(events, first + BATCH - REPEATED)
      const fresh = Array.from({ length: next - first }, (_, i) => first + i)
      const again = Array.from({ length: REPEATED }, () => random.below(next))
      for (const index of fresh) ledger.add(index)
      sent += fresh.length + again.length
      repeated += again.length
      if (killed < kills && next >= ((killed + 1) * events) / (kills + 1)) {
        killed += 1
        const nth = killed
        killing = killing.then(async () => {
          await Promise.all([expire(), kill(nth)])
          await expire()
        })
      }
      await Promise.all([deliver(random.shuffle([...fresh, ...again])), killing])
      onProgress?.(next)
    }
  }

  try {
    await Promise.all(Array.from({ length: IN_FLIGHT }, produce))
    if (expires) for (const client of clients) await insist(() => client.usage.expire({ dryRun: false }))
    const { expired, breaches } = await lookAtTables((text) => query(postgres.url, text), ledger)
    return { sent, repeated, expired, breaches: breaches.map((breach) => `seed ${seed}: ${breach}`) }
  } finally {
    for (const service of services) await service.stop()
    await postgres.stop({ discard: true })
    await rm(folder, { recursive: true, force: true })
  }
}

const isOutage = (error: unknown) =>
  error instanceof ConnectionError || (error instanceof ProblemError && error.status >= 500)

/** What is kept shrinks from nearly all of the run's 400 days to the last four months of them. */
function retention(progress: number) {
  const monthsOf = (date: Date) => 12 * date.getUTCFullYear() + date.getUTCMonth()
  const oldest = monthsOf(new Date(END * 1000)) - Math.round(12 - 8 * progress)
  return { LOCKSTEP_USAGE_RETENTION_MONTHS: String(monthsOf(new Date()) - oldest) }
}

const env = (port: number, databaseUrl: string) => ({
  DATABASE_URL: databaseUrl,
  LOCKSTEP_ADMIN_KEY: ADMIN_KEY,
  LOCKSTEP_HOST: '127.0.0.1',
  LOCKSTEP_LOG_LEVEL: 'error',
  PORT: String(port),
  // Nobody is there, and ingest asks nobody.
  STRIPE_API_BASE: 'http://127.0.0.1:9',
})

/** Customers and meters, as registration and a catalogue would leave them. */
function seedText(): string {
  const customers = Array.from({ length: CUSTOMERS }, (_, i) => `('${idOf(i)}', 'user-${i}', now())`)
  const meters = Object.entries(METERS).map(
    ([key, { aggregation, rules }]) =>
      `('${key}', '${key}', 'unit', '${aggregation}', '${JSON.stringify(rules)}', now())`,
  )
  return `insert into customer (id, external_id, created_at) values ${customers.join()};
    insert into meter (key, name, unit_label, aggregation, rules, created_at) values ${meters.join()}`
}

async function query(url: string, text: string): Promise<Record<string, string | null>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Record<string, string | null>>(text)).rows
  } finally {
    await client.end()
  }
}
