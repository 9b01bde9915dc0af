import type { AddressInfo } from 'node:net'
import { followEntitlements } from './billing/entitlements.ts'
import { wallMillis } from './clock.ts'
import { Deliveries } from './events/deliveries.ts'
import { checkedDelivery, type DeliverySettings, defaultDelivery } from './events/delivery-settings.ts'
import { type StartEndpoint, setStartEndpoints } from './events/start-endpoints.ts'
import { Control } from './faults/control.ts'
import type { Fault } from './faults/fault.ts'
import { Faults } from './faults/faults.ts'
import { RequestLog } from './faults/request-log.ts'
import { addControlRoutes } from './http/control-routes.ts'
import { gapRoutes } from './http/gaps.ts'
import { addHostedPages } from './http/hosted-pages.ts'
import { IdempotencyKeys } from './http/idempotency.ts'
import { keepBeforeAnswering } from './http/kept-answers.ts'
import { addPdfs } from './http/pdfs.ts'
import { buildServer } from './http/server.ts'
import { Ids } from './ids.ts'
import { RateLimiter } from './limits/rate-limiter.ts'
import { type RateLimits, stripeRateLimits } from './limits/rate-limits.ts'
import { SubscriptionLimits } from './limits/subscription-limits.ts'
import { seededRandom } from './random.ts'
import { expansions, renderers, routes } from './registry.ts'
import type { Attempt } from './rules/test-cards.ts'
import { defaultSettings, type Settings } from './settings.ts'
import { StateFile } from './store/state-file.ts'
import { Time } from './time.ts'
import { dialectOf } from './versions/dialect.ts'
import { newest, versionOf } from './versions/versions.ts'
import { addWindow } from './window/window.ts'
import { World } from './world.ts'

export interface SimulatorOptions {
  /** 0 takes a free one. */
  readonly port?: number
  readonly host?: string
  /** A file that follows every change before it is answered, for the next run; in memory only when absent. */
  readonly stateFile?: string
  /** Keys that are accepted; any `sk_test_...` or `rk_test_...` when absent. */
  readonly apiKeys?: readonly string[]
  /** Endpoints of this run, with secrets of your choice. Those of an earlier one that are not named again are gone. */
  readonly webhooks?: readonly StartEndpoint[]
  /** The account's version: of requests that name none, and of events. The newest when absent. */
  readonly apiVersion?: string
  /** Makes ids, shuffles, drops and faults with a probability repeatable. */
  readonly seed?: number
  readonly settings?: Partial<Settings>
  readonly delivery?: Partial<DeliverySettings>
  /** Milliseconds that an advance waits for endpoints before it passes the end of a draft's hour. */
  readonly patienceMs?: number
}

export interface Simulator {
  readonly url: string
  readonly port: number
  readonly host: string
  readonly control: Control
  close(): Promise<void>
}

/** Starts a Stripe of your own. Resolves when it listens. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const random = seededRandom(options.seed)
  const world = new World({
    ids: new Ids(random),
    random,
    settings: { ...defaultSettings, ...options.settings },
    renderers,
    apiVersion: versionOf(options.apiVersion ?? newest),
    show: (shown, version, object) => dialectOf(version).show(shown, object),
  })
  const faults = new Faults(options.seed)
  const deliveries = new Deliveries(
    world,
    { ...defaultDelivery, ...checkedDelivery(options.delivery ?? {}) },
    faults,
  )
  const time = new Time(world, deliveries, options.patienceMs ?? 10_000)
  const keys = new IdempotencyKeys()
  const log = new RequestLog()
  const control = new Control({ world, deliveries, time, faults, log, keys })
  const file = options.stateFile === undefined ? undefined : new StateFile(options.stateFile, world, keys)
  try {
    setStartEndpoints(world, options.webhooks ?? [])
  } catch (error) {
    file?.close()
    throw error
  }
  // What was kept was written long ago.
  world.settleSearch()
  deliveries.resume()
  const limits = limitsOf(world.settings)
  const subscriptionLimits = limits === null ? null : new SubscriptionLimits(limits)
  world.beforeCommit = (events) => {
    subscriptionLimits?.check(events, wallMillis())
    followEntitlements(world, events)
  }
  world.chargeFault = (path, authenticated) => {
    const fault = faults.takeCharge(path, authenticated)
    return fault && attemptOf(fault)
  }
  world.onCommit = (events) => {
    for (const event of events) deliveries.enqueue(event)
    if (events.some((event) => event.type === 'test_helpers.test_clock.advancing')) time.startAdvances()
  }
  deliveries.onAttempted = (event, ok) => {
    if (ok && event.type === 'invoice.created') time.acknowledge(event.data.object.id as string)
  }
  const limiter = limits === null ? null : new RateLimiter(limits)
  const app = buildServer({ world, expansions, keys, faults, log, limiter, apiKeys: options.apiKeys }, [
    ...routes,
    ...gapRoutes(routes),
  ])
  if (file !== undefined) keepBeforeAnswering(app, () => file.flush())
  addControlRoutes(app, control)
  addPdfs(app, world)
  addHostedPages(app, world, control)
  addWindow(app, { world, control, log, attempts: deliveries.attempts })
  const host = options.host ?? '127.0.0.1'
  await app.listen({ port: options.port ?? 0, host }).catch((error: unknown) => {
    file?.close()
    throw error
  })
  const { port } = app.server.address() as AddressInfo
  const url = `http://${nameIn(host)}:${port}`
  world.baseUrl = url
  time.arm()
  time.startAdvances()
  return {
    url,
    port,
    host,
    control,
    async close() {
      time.close()
      deliveries.close()
      await app.close()
      file?.close()
    },
  }
}

/** A host as an address names it: every one is this machine, and an IPv6 address stands in brackets (RFC 3986). */
function nameIn(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}

function attemptOf({ kind, decline_code: declineCode = 'generic_decline' }: Fault): Attempt {
  if (kind === 'challenge') return { result: 'requires_action' }
  return { result: 'declined', code: 'card_declined', declineCode }
}

function limitsOf({ rateLimits }: Settings): RateLimits | null {
  return typeof rateLimits === 'string' ? stripeRateLimits[rateLimits] : rateLimits
}
