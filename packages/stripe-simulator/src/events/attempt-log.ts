/** A delivery as it went. */
export interface Attempt {
  readonly event: string
  readonly endpoint: string
  /** Seconds of wall time. */
  readonly at: number
  /** How long the endpoint took, in milliseconds. */
  readonly ms: number
  /** Null when there was no answer. */
  readonly status: number | null
  /** How the answer began, or why there was none. */
  readonly answer: string
}

const KEPT = 10_000

/** The last deliveries and what was answered, by event. */
export class AttemptLog {
  readonly #byEvent = new Map<string, Attempt[]>()
  #count = 0

  add(attempt: Attempt): void {
    const known = this.#byEvent.get(attempt.event)
    if (known === undefined) this.#byEvent.set(attempt.event, [attempt])
    else known.push(attempt)
    this.#count++
    // The events that were sent first are forgotten first.
    for (const [event, attempts] of this.#byEvent) {
      if (this.#count <= KEPT) return
      this.#byEvent.delete(event)
      this.#count -= attempts.length
    }
  }

  /** Of one event, oldest first. */
  of(event: string): readonly Attempt[] {
    return this.#byEvent.get(event) ?? []
  }
}
