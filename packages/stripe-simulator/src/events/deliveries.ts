import { wallMillis } from '../clock.ts'
import type { FaultKind } from '../faults/fault.ts'
import type { Faults, Strike } from '../faults/faults.ts'
import type { DeliveryRow, EventRow, WebhookEndpointRow } from '../rows.ts'
import type { World } from '../world.ts'
import { AttemptLog } from './attempt-log.ts'
import { DeliveryQueue } from './delivery-queue.ts'
import { checkedDelivery, type DeliverySettings } from './delivery-settings.ts'
import { sendEvent } from './send-event.ts'
import { isTold, wants } from './wants.ts'

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
  readonly #faults: Faults
  readonly #queue = new DeliveryQueue()
  /** Those that a fault holds back for a while. */
  readonly #late = new Map<string, NodeJS.Timeout>()
  /** Those that a fault has held back or displaced already, once an attempt. */
  readonly #putOff = new Set<string>()
  /** Ids of those that wait for their time. */
  #retries: string[] = []
  #flying = 0
  #made = 0
  #scheduled = false
  #timer: NodeJS.Timeout | undefined
  #closed = false
  #waiters: (() => void)[] = []
  readonly #unattempted = new Map<string | null, number>()

  constructor(world: World, settings: DeliverySettings, faults: Faults) {
    this.#world = world
    this.settings = settings
    this.#faults = faults
  }

  /** Queues an event for every endpoint that wants it; true when there is any. */
  enqueue(event: EventRow): void {
    if (this.#world.webhookEndpoints.size === 0) return
    const endpoints = this.#world.webhookEndpoints.all().filter((endpoint) => isTold(endpoint, event.type))
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
    this.settings = { ...this.settings, ...checkedDelivery(settings) }
    this.wake()
  }

  /** Makes every waiting retry due now. */
  retryNow(): void {
    for (const id of this.#retries) this.#world.deliveries.patch(id, { notBefore: 0 })
    this.#arm()
  }

  get counts(): { queued: number; running: number; retrying: number } {
    return {
      queued: this.#queue.length + this.#late.size,
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
    for (const timer of this.#late.values()) clearTimeout(timer)
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
      const id = this.#queue.take(mode === 'shuffled' ? this.#world.random : undefined)
      if (id === undefined) break
      const delivery = this.#world.deliveries.must(id)
      const strike = this.#strikeOf(delivery)
      if (strike !== undefined && this.#putsOff(id, strike)) continue
      this.#putOff.delete(id)
      this.#flying++
      void this.#deliver(delivery, strike?.fault.kind).finally(() => {
        this.#flying--
        this.#notify()
        this.wake()
      })
    }
  }

  #strikeOf({ id, event, endpoint }: DeliveryRow): Strike | undefined {
    if (this.#putOff.has(id)) return undefined
    const type = this.#world.events.must(event).type
    return this.#faults.takeDelivery(type, this.#world.webhookEndpoints.get(endpoint)?.url ?? '')
  }

  /** Whether a fault lets others go first: for a time, or one or more of those that wait. */
  #putsOff(id: string, { fault, random }: Strike): boolean {
    const { kind, ms = this.settings.delayMs } = fault
    if (kind !== 'webhook_late' && kind !== 'webhook_shuffled') return false
    this.#putOff.add(id)
    if (kind === 'webhook_shuffled') return this.#queue.putBehind(id, random)
    const timer = setTimeout(() => {
      this.#late.delete(id)
      this.#queue.push(id)
      this.wake()
    }, ms)
    this.#late.set(id, timer)
    return true
  }

  async #deliver(delivery: DeliveryRow, fault: FaultKind | undefined): Promise<void> {
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
    const lost = (mode === 'dropped' && first) || fault === 'webhook_lost'
    const send = () => sendEvent(this.#world, event, endpoint, this.settings.timeoutMs, this.attempts)
    const ok = lost ? false : await send()
    if ((mode === 'duplicated' || fault === 'webhook_doubled') && !lost) await send()
    if (first) this.#count(event.own.clock, -1)
    if (ok) this.#finish(delivery, true)
    else this.#retry(delivery)
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
