import { newHands } from '../postgres/presence.ts'
import { CLAIM_SECONDS, type WaitingEvent } from '../store/provider-events.ts'

/** What this process has in hand of the inbox. */
export const hands = newHands()

/** What has waited in here for half of its claim is left to whoever looks for what waits. */
const FRESH_MS = (CLAIM_SECONDS * 1000) / 2
/** What comes while so many wait in here is left to whoever looks, too: they are all in memory. */
const MOST = 1000
/** What others took in, or what is due once more, is looked for this often, however much comes in here. */
const LOOK_MS = 500

/**
 * Events that this process stores and works on itself. They are claimed by the statement that stores them, so no claim
 * is written, and what they say is not read from the database again.
 *
 * It is a shortcut and nothing else: each of them is a row that waits, and where it is forgotten here, by a crash or because
 * something broke, whoever looks for what waits finds it. That two processes work on one object at a time is no harm: what is
 * written of it is guarded where it is written.
 */
export class Intake {
  #waiting: { readonly event: WaitingEvent; readonly since: number }[] = []
  #holder: string | undefined
  #lookedAt = Number.NEGATIVE_INFINITY
  /** Some were left for want of room. What comes after them is left, too, until none of them waits: it would overtake them, and an event that comes after a newer one is asked of Stripe. */
  #hasLeft = false

  /** From now on there is a worker. */
  open(): void {
    this.#holder = hands.hold()
  }

  /** Takes no more, and has nothing in hand any longer: what waits here is for whoever looks. */
  close(): void {
    if (this.#holder !== undefined) hands.letGo(this.#holder)
    this.#holder = undefined
    this.#waiting = []
  }

  /** Something broke: what was taken out may not be done, and is looked for again. */
  startAfresh(): void {
    if (this.#holder === undefined) return
    this.close()
    this.open()
  }

  /** By whom an event is to be claimed as it is stored. Null: by nobody, there is no worker or no room. */
  holder(): string | null {
    if (this.#holder === undefined) return null
    this.#hasLeft ||= this.#waiting.length >= MOST
    return this.#hasLeft ? null : this.#holder
  }

  /** Who looked has found no more than it could take: nothing is left to overtake. */
  caughtUp(): void {
    this.#hasLeft = false
  }

  /** Stored, claimed by `holder`. */
  add(event: WaitingEvent, holder: string): void {
    if (holder === this.#holder) this.#waiting.push({ event, since: performance.now() })
  }

  /** In the order in which they came. */
  take(limit: number): WaitingEvent[] {
    const oldest = performance.now() - FRESH_MS
    return this.#waiting
      .splice(0, limit)
      .filter(({ since }) => since >= oldest)
      .map(({ event }) => event)
  }

  /** Whether it is time to look for what did not come in here; whoever asks does so. What waits in here came before what was left. */
  isTimeToLook(): boolean {
    if (this.#hasLeft) return this.#waiting.length === 0
    const now = performance.now()
    if (now - this.#lookedAt < LOOK_MS) return false
    this.#lookedAt = now
    return true
  }
}
