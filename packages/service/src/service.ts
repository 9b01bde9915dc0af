import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { newBell } from './bell.ts'
import { openBus } from './bus/open.ts'
import { CannotStart } from './cannot-start.ts'
import { type Clock, wallClock } from './clock.ts'
import { type Config, isLoopback } from './config.ts'
import { apiKeys } from './http/api-key.ts'
import { createServer } from './http/app.ts'
import { authenticator } from './http/authenticate.ts'
import { registerHealth, registerRoutes } from './http/routes.ts'
import { signingKeys } from './http/signing-keys.ts'
import { userTokens } from './http/user-token.ts'
import { drainInbox } from './inbox/process.ts'
import { startBoss } from './jobs/boss.ts'
import { createLog, type Log } from './log.ts'
import { createMetrics } from './metrics.ts'
import { connect } from './postgres/connect.ts'
import type { PostgresGone } from './postgres/embedded/gone.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from './postgres/embedded.ts'
import { migrate } from './postgres/migrate.ts'
import { openProvider } from './provider/stripe/account.ts'
import { readinessOf } from './readiness.ts'
import type { ServiceParts } from './service-parts.ts'
import { openTax } from './tax/open.ts'
import type { Tax } from './tax/port.ts'
import { newSumsAhead } from './usage/sums-ahead.ts'
import { openUsage } from './usage/usage.ts'
import { workers } from './workers.ts'
import { doDue } from './workflow/due.ts'
import { workflowKinds } from './workflow/kinds.ts'
import type { LookDeps } from './workflow/look.ts'
import { makeWorkflows, type Workflows } from './workflow/workflows.ts'

export interface RunningService {
  /** Where it listens: `http://127.0.0.1:4000`. */
  readonly url: string
  readonly databaseUrl: string
  /** Settles when the embedded Postgres has ended by itself: then this can only be closed. Never with one of your own. */
  readonly databaseGone: Promise<PostgresGone>
  /** Takes no more requests, ends what is in hand, stops what was started. */
  close(): Promise<void>
}

export interface ServiceOptions {
  readonly log?: Log
  readonly clock?: Clock
}

/** Whoever stops us waits this long before killing us; what then is in hand is resumed next time. */
const CLOSE_SECONDS = 10

/** Starts everything in order; whatever fails, what was started before is stopped again. */
export async function startService(config: Config, options: ServiceOptions = {}): Promise<RunningService> {
  const log = options.log ?? createLog(config)
  const started = new Started(log)
  try {
    const running = await startParts(config, { log, clock: options.clock ?? wallClock }, started)
    return { ...running, close: () => started.stop() }
  } catch (error) {
    await started.stop()
    throw error
  }
}

async function startParts(
  config: Config,
  { log, clock }: { log: Log; clock: Clock },
  started: Started,
): Promise<Omit<RunningService, 'close'>> {
  const { url: databaseUrl, gone: databaseGone } =
    config.databaseUrl === undefined
      ? await startEmbedded(config, log, started)
      : { url: config.databaseUrl, gone: never }
  const applied = await migrate(databaseUrl)
  if (applied.length > 0) log.info({ applied }, 'database migrated')

  const { db, pool, close } = connect(databaseUrl, {
    poolSize: config.databasePoolSize,
    onBroken: (err) => log.warn({ err }, 'a database connection broke'),
  })
  started.push('database connections', close)
  const provider = await openProvider({ db, pool }, config.stripe)
  const works = config.roles.includes('worker')
  const boss = await startBoss({ databaseUrl, log }, { supervise: works })
  started.push('job queue', () => boss.stop({ graceful: true, timeout: (CLOSE_SECONDS - 3) * 1000 }))

  const metrics = createMetrics()
  const tax = openTax(config)
  const workflows = startWorkflows({ db, clock, log, provider, tax }, started)
  const { usageTimes: times, usageQueue: maxWaiting } = config
  const usage = openUsage({ db, databaseUrl, clock, metrics, times, queue: { maxWaiting } })
  started.push('usage', usage.close)
  const sumsAhead = newSumsAhead({ db, clock, log })
  started.push('sums of usage', sumsAhead.close)
  const bell = newBell()
  const bus = await openBus({ config, db, clock, log, bell, provider })
  started.push('message bus', () => bus.close())
  const parts: ServiceParts = {
    config,
    db,
    pool,
    clock,
    log,
    metrics,
    provider,
    boss,
    bell,
    bus,
    workflows,
    usage,
    sumsAhead,
    tax,
  }
  if (works) {
    for (const worker of workers) started.push(`worker ${worker.name}`, await worker.start(parts))
  }
  const url = await listen(parts, started)
  log.info({ url, roles: config.roles, stripe: config.stripe.apiBase }, 'started')
  return { url, databaseUrl, databaseGone }
}

/** Any process runs the workflows that its requests begin; those of a dead one are for the workers. */
function startWorkflows(deps: LookDeps & { readonly tax: Tax }, started: Started): Workflows {
  const workflows: Workflows = makeWorkflows(
    deps,
    workflowKinds({
      ...deps,
      drainInbox: () => drainInbox(deps),
      doDue: (testClock) => doDue({ ...deps, workflows, requestSync: leftToTheAdvance }, { testClock }),
    }),
  )
  started.push('workflows', () => workflows.close())
  return workflows
}

/** Whoever turns a clock has all its subscriptions synchronised at each stop, behind what is due. */
async function leftToTheAdvance(): Promise<void> {}

const never = new Promise<never>(() => {})

async function startEmbedded(
  { dataDirectory }: Config,
  log: Log,
  started: Started,
): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres({ directory: join(dataDirectory, 'postgres') })
  started.push('embedded Postgres', () => postgres.stop())
  log.info({ attached: postgres.attached }, 'embedded Postgres runs')
  return postgres
}

async function listen(parts: ServiceParts, started: Started): Promise<string> {
  const { config, db, clock, log, metrics } = parts
  const server = await createServer({ log, metrics, loopbackOnly: isLoopback(config.host) })
  const keys = apiKeys({ db, adminKey: config.adminKey })
  const tokens =
    config.jwt && userTokens({ clock, ...config.jwt, keys: signingKeys({ url: config.jwt.jwksUrl }) })
  const authenticate = authenticator({ db, keys, tokens, secrets: config.secrets })
  const app = { server, db, clock, authenticate }
  const routeParts = { ...parts, readiness: readinessOf({ db }), forgetKeys: keys.forget }
  registerHealth(app, routeParts)
  if (config.roles.includes('api')) registerRoutes(app, routeParts)
  started.push('HTTP', () => server.close())
  try {
    await server.listen({ host: config.host, port: config.port })
    return addressOf(server.addresses()[0], config)
  } catch (error) {
    throw cannotListen(error, config)
  }
}

/** Where this machine reaches it: the port may have been 0, the host all of them. */
function addressOf(address: AddressInfo | string | undefined, { host, port }: Config): string {
  const listening = typeof address === 'object' ? address.port : port
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host
  return `http://${name}:${listening}`
}

function cannotListen(error: unknown, { host, port }: Config): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EADDRINUSE') {
    return new CannotStart(
      `Port ${port} of ${host} is taken by another program.`,
      'Stop that program, or set PORT to another number.',
    )
  }
  if (code === 'EACCES')
    return new CannotStart(`Port ${port} may not be used by this user.`, 'Set PORT to 1024 or more.')
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return new CannotStart(`${host} is not an address of this machine.`, 'Correct LOCKSTEP_HOST.')
  }
  return error
}

/** What runs, to be stopped last first. */
class Started {
  readonly #log: Log
  readonly #stops: { name: string; stop: () => Promise<unknown> }[] = []
  #stopping: Promise<void> | undefined

  constructor(log: Log) {
    this.#log = log
  }

  push(name: string, stop: () => Promise<unknown>): void {
    this.#stops.push({ name, stop })
  }

  /** Once, however often it is asked. A part that fails to stop does not keep the others running. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll()
    return this.#stopping
  }

  async #stopAll(): Promise<void> {
    const deadline = AbortSignal.timeout(CLOSE_SECONDS * 1000)
    const late = new Promise<never>((_, reject) => {
      deadline.addEventListener('abort', () => reject(new Error(`not within ${CLOSE_SECONDS} s`)))
    })
    // Nobody waits for it when everything stops in time.
    late.catch(() => {})
    for (const { name, stop } of this.#stops.toReversed()) {
      try {
        await Promise.race([stop(), late])
      } catch (err) {
        this.#log.warn({ err, part: name }, 'did not stop in order')
      }
    }
  }
}
