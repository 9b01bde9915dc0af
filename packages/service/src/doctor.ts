import { createServer } from 'node:net'
import { join } from 'node:path'
import { CannotStart } from './cannot-start.ts'
import { type Config, ConfigurationInvalid, readConfig } from './config.ts'
import { type Check, fine, wrong } from './doctor/check.ts'
import { examineDatabase } from './doctor/database.ts'
import { examineStripe } from './doctor/stripe.ts'
import { examineTax } from './doctor/tax.ts'
import type { RetentionSet } from './doctor/usage-retention.ts'
import { startEmbeddedPostgres } from './postgres/embedded.ts'

const OLDEST_NODE = [24, 11] as const

/** What is wrong with a set-up, and what to do: everything looked at, nothing changed. */
export async function doctor(env: Environment): Promise<Check[]> {
  try {
    return await examine(readConfig(env), env)
  } catch (error) {
    if (!(error instanceof ConfigurationInvalid)) throw error
    return error.faults.map((fault) => wrong('configuration', fault, 'Correct this environment variable.'))
  }
}

type Environment = Record<string, string | undefined>

async function examine(config: Config, env: Environment): Promise<Check[]> {
  const isDecided = (env.LOCKSTEP_USAGE_RETENTION_MONTHS ?? '') !== ''
  const [database, stripe, tax, port] = await Promise.all([
    databaseOf(config, { keepMonths: config.usageRetentionMonths, isDecided }),
    examineStripe(config.stripe),
    examineTax(config),
    portOf(config),
  ])
  return [nodeVersion(process.versions.node), ...database, ...stripe, tax, port]
}

export function nodeVersion(version: string): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const enough = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])
  if (enough) return fine('node', version)
  const remedy = 'Run it through npm (npm start, npx lockstep): `npm ci` brought the right Node along.'
  return wrong('node', `${version} is older than ${OLDEST_NODE.join('.')}.`, remedy)
}

async function databaseOf(config: Config, retention: RetentionSet): Promise<Check[]> {
  if (config.databaseUrl !== undefined) return examineDatabase(config.databaseUrl, config.stripe, retention)
  try {
    const postgres = await startEmbeddedPostgres({ directory: join(config.dataDirectory, 'postgres') })
    try {
      return await examineDatabase(postgres.url, config.stripe, retention)
    } finally {
      await postgres.stop()
    }
  } catch (error) {
    if (error instanceof CannotStart) return [wrong('database', error.message, error.remedy)]
    throw error
  }
}

async function portOf({ host, port }: Config): Promise<Check> {
  const code = await listenOnce(host, port)
  if (code === undefined) return fine('port', `${port} of ${host} is free.`)
  const local = `http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${port}`
  const answer = await fetch(`${local}/readyz`, { signal: AbortSignal.timeout(3000) }).catch(() => undefined)
  const body = (await answer?.json().catch(() => undefined)) as { status?: string } | undefined
  if (body?.status === 'ready') return fine('port', `Lockstep runs at ${local} and is ready.`)
  if (body?.status === 'notReady')
    return wrong('port', `Lockstep runs at ${local} but is not ready.`, 'See its log.')
  return wrong(
    'port',
    `${port} of ${host} cannot be used (${code}).`,
    'Stop what uses it, or set PORT to another number.',
  )
}

function listenOnce(host: string, port: number): Promise<string | undefined> {
  return new Promise((settle) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => settle(error.code ?? 'unknown'))
    server.listen(port, host, () => server.close(() => settle(undefined)))
  })
}
