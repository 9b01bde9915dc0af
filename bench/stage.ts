import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startEmbeddedPostgres } from '@lockstep/service/postgres/embedded'
import pg from 'pg'
import { freePort, type RunningProcess, startProcess } from '../test/support/process.ts'

export const ADMIN_KEY = `lk_bench_${randomBytes(24).toString('hex')}`

/** A durable Postgres in a folder of its own, and processes around it. */
export interface Stage {
  readonly databaseUrl: string
  /** An empty database on the same server, for the reference. */
  readonly referenceUrl: string
  startService(env?: Record<string, string>): Promise<RunningProcess>
  /** Both sides of a pass begin behind a checkpoint, so that neither pays for the other's pages. */
  checkpoint(): Promise<void>
  query<Row extends pg.QueryResultRow>(url: string, text: string): Promise<Row[]>
  close(): Promise<void>
}

export async function openStage(): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-bench-'))
  // Root's Postgres runs as another user, who has to get in.
  await chmod(folder, 0o755)
  const postgres = await startEmbeddedPostgres({ directory: join(folder, 'postgres') })
  const processes: RunningProcess[] = []
  const query = async <Row extends pg.QueryResultRow>(url: string, text: string): Promise<Row[]> => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    try {
      return (await client.query<Row>(text)).rows
    } finally {
      await client.end()
    }
  }
  await query(postgres.url, 'create database reference')
  const referenceUrl = new URL(postgres.url)
  referenceUrl.pathname = '/reference'
  return {
    databaseUrl: postgres.url,
    referenceUrl: referenceUrl.href,
    query,
    checkpoint: async () => void (await query(postgres.url, 'checkpoint')),
    startService: async (env = {}) => {
      const port = await freePort()
      const service = await startProcess('packages/service/src/main.ts', {
        port,
        env: {
          DATABASE_URL: postgres.url,
          LOCKSTEP_ADMIN_KEY: ADMIN_KEY,
          LOCKSTEP_HOST: '127.0.0.1',
          LOCKSTEP_LOG_LEVEL: 'warn',
          PORT: String(port),
          // Nobody is there, and ingest asks nobody.
          STRIPE_API_BASE: 'http://127.0.0.1:9',
          ...env,
        },
      })
      processes.push(service)
      return service
    },
    close: async () => {
      for (const running of processes) await running.stop()
      await postgres.stop({ discard: true })
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** A stage with the simulator beside it. */
export interface StageWithSimulator extends Stage {
  readonly simulator: { readonly url: string; readonly port: number }
  /** What the service is told of it; it stands before what else a service is started with. */
  readonly stripe: { readonly STRIPE_API_BASE: string; readonly STRIPE_API_KEY: string }
  /** What it was asked, since it was last told to forget. */
  requests(): Promise<readonly StripeRequest[]>
  forgetRequests(): Promise<void>
}

interface StripeRequest {
  readonly method: string
  readonly route: string | null
  readonly path: string
}

export async function openStageWithSimulator(): Promise<StageWithSimulator> {
  const stage = await openStage()
  const port = await freePort()
  const simulator = await startProcess('packages/stripe-simulator/src/main.ts', {
    port,
    args: ['--port', String(port)],
  })
  const log = `${simulator.url}/_simulator/requests`
  return {
    ...stage,
    simulator: { url: simulator.url, port },
    stripe: { STRIPE_API_BASE: simulator.url, STRIPE_API_KEY: 'sk_test_bench' },
    forgetRequests: async () => void (await fetch(log, { method: 'DELETE' })),
    requests: async () => ((await (await fetch(log)).json()) as { requests: StripeRequest[] }).requests,
    close: async () => {
      await simulator.stop()
      await stage.close()
    },
  }
}

/** The simulator behind a Stripe of `reference/`, which answers for it in a way of its own. */
export async function startStripeBefore(
  entry: string,
  env: Record<string, string> = {},
): Promise<Pick<RunningProcess, 'url' | 'stop'> & { readonly port: number }> {
  const [simulatorPort, port] = [await freePort(), await freePort()]
  const simulator = await startProcess('packages/stripe-simulator/src/main.ts', {
    port: simulatorPort,
    args: ['--port', String(simulatorPort)],
  })
  const before = await startProcess(entry, {
    port,
    env: { PORT: String(port), SIMULATOR_URL: simulator.url, ...env },
  })
  return {
    url: before.url,
    port,
    async stop() {
      await before.stop()
      await simulator.stop()
    },
  }
}

/** Runs a program of this folder in a process of its own; it prints its result as JSON. */
export async function runProgram<Result>(entry: string, options: object): Promise<Result> {
  const path = fileURLToPath(new URL(entry, import.meta.url))
  const child = spawn(process.execPath, [path, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`${entry} ended with ${code}.`)
  return JSON.parse(output) as Result
}
