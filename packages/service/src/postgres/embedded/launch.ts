import { type ChildProcess, spawn } from 'node:child_process'
import { open, readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { CannotStart } from '../../cannot-start.ts'
import { plainEnvironment } from './binaries.ts'
import { findPostmaster } from './postmaster.ts'
import type { RunAs } from './run-as.ts'

/** Recovery after a crash replays the log first, and that may take its time. */
const START_SECONDS = 120
const ATTEMPTS = 5

export interface Launch {
  readonly postgres: string
  readonly home: string
  readonly runAs: RunAs
  readonly durable: boolean
  /** The port of the last time: taken again while nobody else has it. */
  readonly port: number
}

/** Starts Postgres on the cluster in `home` and returns once it accepts connections. */
export async function launch(options: Launch): Promise<{ port: number; pid: number }> {
  const log = join(options.home, 'postgres.log')
  for (let attempt = 1; ; attempt += 1) {
    const port = (await freePort(attempt === 1 ? options.port : 0)) ?? (await freePort(0)) ?? 0
    const child = await spawnOn(port, log, options)
    const pid = await becomesReady(child, join(options.home, 'data'))
    if (pid !== undefined) return { port, pid }

    const said = await readFile(log, 'utf8').catch(() => '')
    // Both pass: another program took the port in between; the children of a killed Postgres linger.
    const passes = said.includes('could not bind') || said.includes('pre-existing shared memory block')
    if (!passes || attempt === ATTEMPTS) {
      throw new CannotStart(
        `The embedded Postgres did not start:\n${lastLines(said)}`,
        `Its log is ${log}. If the data may be thrown away, delete ${options.home}.`,
      )
    }
    await delay(attempt * 200)
  }
}

async function spawnOn(
  port: number,
  log: string,
  { postgres, home, runAs, durable }: Launch,
): Promise<ChildProcess> {
  const settings = { ...commonSettings, port: String(port), ...(durable ? {} : throwAwaySettings) }
  const output = await open(log, 'w', 0o600)
  try {
    const child = spawn(
      postgres,
      [
        '-D',
        join(home, 'data'),
        ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      ],
      // A group of its own: the terminal's Ctrl-C is for us, who then stop it in our order. And a log
      // file rather than a pipe, because it outlives a parent that is killed.
      { ...runAs, cwd: '/', env: plainEnvironment, detached: true, stdio: ['ignore', output.fd, output.fd] },
    )
    await new Promise<void>((spawned, failed) => {
      child.once('spawn', spawned)
      child.once('error', failed)
    })
    child.unref()
    return child
  } catch (error) {
    throw new CannotStart(
      `The embedded Postgres could not be started: ${error instanceof Error ? error.message : error}`,
      'Start Lockstep as an ordinary user (root must be allowed to change to one), or set DATABASE_URL.',
      { cause: error },
    )
  } finally {
    await output.close()
  }
}

const commonSettings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_checkpoints: 'off',
}

const throwAwaySettings = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
}

/** Its process id when it accepts connections, undefined when it ended before that. */
async function becomesReady(child: ChildProcess, data: string): Promise<number | undefined> {
  const deadline = performance.now() + START_SECONDS * 1000
  while (child.exitCode === null && child.signalCode === null) {
    const running = await findPostmaster(data)
    if (running?.ready && running.pid === child.pid) return running.pid
    if (performance.now() > deadline) {
      child.kill('SIGQUIT')
      return undefined
    }
    await delay(10)
  }
  return undefined
}

/** `wanted` if nobody has it, any free port for 0. */
function freePort(wanted: number): Promise<number | undefined> {
  return new Promise((settle) => {
    const server = createServer()
    server.once('error', () => settle(undefined))
    server.listen(wanted, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => settle(typeof address === 'object' && address ? address.port : undefined))
    })
  })
}

const lastLines = (text: string) => text.trimEnd().split('\n').slice(-8).join('\n')
