import { setTimeout as wait } from 'node:timers/promises'
import { ring } from './billing/alarms.ts'
import { acknowledged } from './billing/due.ts'
import { wallMillis, wallNow } from './clock.ts'
import type { Deliveries } from './events/deliveries.ts'
import { NOBODY, type World } from './world.ts'

/** Node's longest timer. */
const LONGEST_MS = 2 ** 31 - 1

/** Rings alarms: those of wall time by a timer, those of a test clock while it is advanced. */
export class Time {
  readonly #world: World
  readonly #deliveries: Deliveries
  readonly #advancing = new Set<string>()
  /** How long an advance waits for an endpoint before it passes the end of a draft's hour. */
  readonly #patienceMs: number
  #timer: NodeJS.Timeout | undefined
  #armed = false
  #closed = false

  constructor(world: World, deliveries: Deliveries, patienceMs: number) {
    this.#world = world
    this.#deliveries = deliveries
    this.#patienceMs = patienceMs
    world.onAlarm = (clock) => {
      if (clock === null) this.arm()
    }
  }

  /** Wakes for the next alarm of wall time. Deferred, since it is called in the middle of transactions. */
  arm(): void {
    if (this.#armed || this.#closed) return
    this.#armed = true
    setImmediate(() => {
      this.#armed = false
      clearTimeout(this.#timer)
      const next = this.#world.nextAlarm(null)
      if (next === undefined || this.#closed) return
      const ms = Math.min(LONGEST_MS, Math.max(0, next.at * 1000 - wallMillis()))
      this.#timer = setTimeout(() => this.#runWall(), ms)
      this.#timer.unref()
    })
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  get busy(): boolean {
    return this.#advancing.size > 0
  }

  #runWall(): void {
    const world = this.#world
    const now = wallNow()
    for (let due = world.nextAlarm(null); due !== undefined && due.at <= now; due = world.nextAlarm(null)) {
      const alarm = due
      world.wall = alarm.at
      try {
        world.transaction(NOBODY, () => ring(world, alarm))
      } catch (error) {
        // A bug of ours: said, and not tried again for ever.
        console.error('the alarm', alarm.id, 'failed:', error)
        world.alarms.delete(alarm.id)
      } finally {
        world.wall = null
      }
    }
    this.arm()
  }

  /** The last endpoint took `invoice.created`: a draft that was held for it goes on. */
  acknowledge(invoice: string): void {
    try {
      this.#world.transaction(NOBODY, () => acknowledged(this.#world, invoice))
    } catch (error) {
      console.error('the invoice', invoice, 'could not go on:', error)
    }
  }

  /** Starts every clock whose advance was asked for, also after a restart. */
  startAdvances(): void {
    for (const clock of this.#world.testClocks.all()) {
      if (clock.status !== 'advancing' || this.#advancing.has(clock.id)) continue
      this.#advancing.add(clock.id)
      void this.#advance(clock.id).finally(() => this.#advancing.delete(clock.id))
    }
  }

  /** Everything due up to the target, in time order, each at its own simulated time. */
  async #advance(id: string): Promise<void> {
    const world = this.#world
    let turns = 0
    for (;;) {
      const clock = world.testClocks.get(id)
      if (clock === undefined || this.#closed) return
      const alarm = world.nextAlarm(id)
      if (alarm === undefined || alarm.at > clock.own.target) break
      if (alarm.kind === 'invoice.finalize') await this.#attempted(id)
      // The wait may have let a request through: look again.
      const still = world.nextAlarm(id)
      if (still === undefined || still.id !== alarm.id || still.at !== alarm.at) continue
      try {
        world.transaction(NOBODY, () => {
          this.#turn(id, Math.max(clock.own.now, alarm.at))
          ring(world, alarm)
        })
      } catch (error) {
        this.#fail(id, error)
        return
      }
      // Other requests are served in between.
      if (++turns % 20 === 0) await wait(0)
    }
    await wait(0)
    world.transaction(NOBODY, () => {
      const clock = world.testClocks.get(id)
      if (clock === undefined) return
      const ready = world.testClocks.patch(id, {
        status: 'ready',
        frozen_time: clock.own.target,
        status_details: {},
        own: { ...clock.own, now: clock.own.target },
      })
      world.emit('test_helpers.test_clock.ready', ready)
    })
  }

  #turn(id: string, to: number): void {
    const clock = this.#world.testClocks.must(id)
    if (to !== clock.own.now) this.#world.testClocks.patch(id, { own: { ...clock.own, now: to } })
  }

  /** A receiver sees `invoice.created` before the invoice is finalized, unless it is too slow. */
  async #attempted(id: string): Promise<void> {
    const until = wallMillis() + this.#patienceMs
    while (!this.#deliveries.attempted(id) && this.#deliveries.settings.mode !== 'off') {
      const left = until - wallMillis()
      if (left <= 0 || this.#closed) return
      await Promise.race([this.#deliveries.change(), wait(left, undefined, { ref: false })])
    }
  }

  /** A bug of ours must not look like a clock that never gets ready. */
  #fail(id: string, error: unknown): void {
    console.error('test clock', id, 'failed to advance:', error)
    this.#world.transaction(NOBODY, () => {
      const broken = this.#world.testClocks.patch(id, { status: 'internal_failure', status_details: {} })
      this.#world.emit('test_helpers.test_clock.internal_failure', broken)
    })
  }
}
