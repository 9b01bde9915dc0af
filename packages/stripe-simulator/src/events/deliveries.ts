import { wallMillis, wallNow } from '../clock.ts'
import { matchesType } from '../resources/events.ts'
import type { DeliveryRow, EventRow, WebhookEndpointRow } from '../rows.ts'
import type { World } from '../world.ts'
import { AttemptLog } from './attempt-log.ts'
import { signatureHeader } from './signature.ts'

const deliveryModes = ['in_order', 'parallel', 'shuffled', 'duplicated', 'delayed', 'dropped', 'off'] as const
type DeliveryMode = (typeof deliveryModes)[number]

export interface DeliverySettings {
  readonly mode: DeliveryMode
  /** Milliseconds that `delayed` waits before each delivery. */
  readonly delayMs: number
  /** Milliseconds after which an endpoint that does not answer has failed. */
  readonly timeoutMs: number
  /** Milliseconds before each retry; as many retries as there are entries. */
  readonly retryMs: readonly number[]
}

/** Three more tries over a few hours, as in a sandbox. https://docs.stripe.com/webhooks#retries */
export const defaultDelivery: DeliverySettings = {
  mode: 'in_order',
  delayMs: 50,
  timeoutMs: 20_000,
  retryMs: [60_000, 600_000, 3_600_000],
}

/** Letters of an answer that are kept for people. */
const SHOWN_LENGTH = 500

export type Acknowledged = (event: EventRow, ok: boolean) => void

/**
 * Sends events to the endpoints that want them. First attempts are made in the mode's order; what fails
 * is tried again after its waits, with a fresh time and signature. What is not taken yet is in the world's
 * table: a restart sends it again, also what was on its way.
 */
export class Deliveries {
  settings: DeliverySettings
  /** Told when all endpoints took an event, or when one did not. */
  onAttempted: Acknowledged = () => {}
  readonly attempts = new AttemptLog()
  readonly #world: World
  /** Ids of deliveries to be made, in order. */
  #queue: string[] = []
  #head = 0
  /** Ids of those that wait for their time. */
  #retries: string[] = []
  #flying = 0
  #made = 0
  #scheduled = false
  #timer: NodeJS.Timeout | undefined
  #closed = false
  #waiters: (() => void)[] = []
  readonly #unattempted = new Map<string | null, number>()

  constructor(world: World, settings: DeliverySettings) {
    this.#world = world
    this.settings = settings
  }

  /** Queues an event for every endpoint that wants it; true when there is any. */
  enqueue(event: EventRow): void {
    if (this.#world.webhookEndpoints.size === 0) return
    const endpoints = this.#world.webhookEndpoints
      .all()
      .filter((endpoint) => endpoint.status === 'enabled' && wants(endpoint, event.type))
    if (endpoints.length === 0) return
    this.#world.events.patch(event.id, { own: { ...event.own, pending: endpoints.length } })
    for (const endpoint of endpoints) {
      this.#add(event, endpoint)
    }
    this.wake()
  }

  /** Sends an event again, whatever became of it. */
  resend(event: EventRow, endpoint?: string): void {
    for (const row of this.#world.webhookEndpoints.all()) {
      if (endpoint !== undefined && row.id !== endpoint) continue
      if (endpoint === undefined && !wants(row, event.type)) continue
      this.#add(event, row)
    }
    this.wake()
  }

  configure(settings: Partial<DeliverySettings>): void {
    this.settings = { ...this.settings, ...settings }
    this.wake()
  }

  /** Makes every waiting retry due now. */
  retryNow(): void {
    for (const id of this.#retries) this.#world.deliveries.patch(id, { notBefore: 0 })
    this.#arm()
  }

  get counts(): { queued: number; running: number; retrying: number } {
    return {
      queued: this.#queue.length - this.#head,
      running: this.#flying,
      retrying: this.#retries.length,
    }
  }

  /** Whether every first attempt for events of this clock is over. */
  attempted(clock: string | null): boolean {
    return (this.#unattempted.get(clock) ?? 0) === 0
  }

  /** Resolves at the next attempt that ends, or when nothing is on its way. */
  change(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve))
  }

  wake(): void {
    if (this.#scheduled || this.#closed) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#pump()
    })
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#notify()
  }

  /** After a restart. */
  resume(): void {
    for (const { id, event, attempts } of this.#world.deliveries.all()) {
      this.#made = Math.max(this.#made, Number(id))
      if (attempts === 0) {
        this.#queue.push(id)
        this.#count(this.#world.events.must(event).own.clock, 1)
      } else this.#retries.push(id)
    }
    this.#arm()
    this.wake()
  }

  #add(event: EventRow, endpoint: WebhookEndpointRow): void {
    const { id } = this.#world.deliveries.insert({
      id: String(++this.#made),
      event: event.id,
      endpoint: endpoint.id,
      attempts: 0,
      notBefore: 0,
    })
    this.#queue.push(id)
    this.#count(event.own.clock, 1)
  }

  #pump(): void {
    const { mode } = this.settings
    if (this.#closed || mode === 'off') return
    const limit = mode === 'parallel' || mode === 'shuffled' ? 16 : 1
    while (this.#flying < limit) {
      const id = this.#take(mode)
      if (id === undefined) break
      this.#flying++
      void this.#deliver(this.#world.deliveries.must(id)).finally(() => {
        this.#flying--
        this.#notify()
        this.wake()
      })
    }
  }

  /** The next in order, or any one when deliveries are shuffled. */
  #take(mode: DeliveryMode): string | undefined {
    if (mode === 'shuffled' && this.#head < this.#queue.length) {
      const at = this.#head + Math.floor(this.#world.random() * (this.#queue.length - this.#head))
      const chosen = this.#queue[at] as string
      this.#queue[at] = this.#queue[this.#head] as string
      this.#queue[this.#head] = chosen
    }
    const next = this.#queue[this.#head]
    if (next !== undefined) this.#head++
    // The front is cut off now and then, so that a long queue is not moved at every step.
    if (this.#head > 1000 || this.#head === this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head)
      this.#head = 0
    }
    return next
  }

  async #deliver(delivery: DeliveryRow): Promise<void> {
    const event = this.#world.events.must(delivery.event)
    const endpoint = this.#world.webhookEndpoints.get(delivery.endpoint)
    const first = delivery.attempts === 0
    if (endpoint === undefined || endpoint.status !== 'enabled') {
      if (first) this.#count(event.own.clock, -1)
      this.#finish(delivery, false)
      return
    }
    const { mode } = this.settings
    if (mode === 'delayed') await new Promise((resolve) => setTimeout(resolve, this.settings.delayMs))
    const dropped = mode === 'dropped' && first
    const ok = dropped ? false : await this.#send(event, endpoint)
    if (mode === 'duplicated' && !dropped) await this.#send(event, endpoint)
    if (first) this.#count(event.own.clock, -1)
    if (ok) this.#finish(delivery, true)
    else this.#retry(delivery)
  }

  async #send(event: EventRow, endpoint: WebhookEndpointRow): Promise<boolean> {
    const current = this.#world.events.must(event.id)
    const version = endpoint.api_version ?? event.api_version
    const body = JSON.stringify({
      ...this.#world.render(current),
      api_version: version,
      data: this.#world.eventData(current, version),
    })
    const began = wallMillis()
    const log = (status: number | null, answer: string) =>
      this.attempts.add({
        event: event.id,
        endpoint: endpoint.id,
        at: Math.floor(began / 1000),
        ms: wallMillis() - began,
        status,
        answer: answer.slice(0, SHOWN_LENGTH),
      })
    try {
      const response = await fetch(endpoint.url, {
        method: 'POST',
        redirect: 'manual',
        headers: {
          'content-type': 'application/json; charset=utf-8',
          'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
          'stripe-signature': signatureHeader(endpoint.own.secret, body, wallNow()),
        },
        body,
        signal: AbortSignal.timeout(this.settings.timeoutMs),
      })
      log(response.status, await response.text())
      return response.status >= 200 && response.status < 300
    } catch (error) {
      // Refused, reset or too slow: all the same to the sender.
      log(null, reasonOf(error))
      return false
    }
  }

  #retry(delivery: DeliveryRow): void {
    const wait = this.settings.retryMs[delivery.attempts]
    if (wait === undefined) {
      this.#finish(delivery, false)
      return
    }
    this.#world.deliveries.patch(delivery.id, {
      attempts: delivery.attempts + 1,
      notBefore: wallMillis() + wait,
    })
    this.#retries.push(delivery.id)
    this.onAttempted(this.#world.events.must(delivery.event), false)
    this.#arm()
  }

  #finish(delivery: DeliveryRow, ok: boolean): void {
    this.#world.deliveries.delete(delivery.id)
    const event = this.#world.events.must(delivery.event)
    const pending = Math.max(0, event.own.pending - 1)
    const next = this.#world.events.patch(event.id, {
      own: { ...event.own, pending, failed: event.own.failed || !ok },
    })
    if (pending === 0) this.onAttempted(next, ok && !next.own.failed)
  }

  #arm(): void {
    clearTimeout(this.#timer)
    if (this.#closed || this.#retries.length === 0) return
    const notBefore = (id: string) => this.#world.deliveries.must(id).notBefore
    const next = this.#retries.reduce((first, id) => Math.min(first, notBefore(id)), Number.POSITIVE_INFINITY)
    this.#timer = setTimeout(
      () => {
        const now = wallMillis()
        const due = this.#retries.filter((id) => notBefore(id) <= now)
        this.#retries = this.#retries.filter((id) => notBefore(id) > now)
        this.#queue.push(...due)
        this.#arm()
        this.wake()
      },
      Math.max(0, next - wallMillis()),
    )
  }

  #count(clock: string | null, by: number): void {
    this.#unattempted.set(clock, (this.#unattempted.get(clock) ?? 0) + by)
  }

  #notify(): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const waiter of waiters) waiter()
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? error.cause.message : error.message
}

function wants(endpoint: WebhookEndpointRow, type: string): boolean {
  return endpoint.enabled_events.some((pattern) => matchesType(pattern, type))
}
