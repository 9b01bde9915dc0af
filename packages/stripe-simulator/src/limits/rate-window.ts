/** At most so many in any stretch of this length: a sliding window, whose edges nobody can lie in wait for. */
export class RateWindow {
  readonly #limit: number
  readonly #lengthMs: number
  /** When the last ones were taken, oldest first; never more than the limit. */
  #taken: number[] = []

  constructor(limit: number, lengthMs: number) {
    this.#limit = limit
    this.#lengthMs = lengthMs
  }

  /** Whether there is room for one more at `nowMs`. One that is a whole length old makes room. */
  hasRoom(nowMs: number): boolean {
    const oldest = this.#taken[0]
    return this.#taken.length < this.#limit || (oldest !== undefined && oldest <= nowMs - this.#lengthMs)
  }

  take(nowMs: number): void {
    this.#taken.push(nowMs)
    if (this.#taken.length > this.#limit) this.#taken.shift()
  }
}

/** A window for each key, made when it is first asked for. */
export class RateWindows {
  readonly #windows = new Map<string, RateWindow>()
  readonly #limit: number
  readonly #lengthMs: number

  constructor(limit: number, lengthMs: number) {
    this.#limit = limit
    this.#lengthMs = lengthMs
  }

  of(key: string): RateWindow {
    let window = this.#windows.get(key)
    if (window === undefined) {
      window = new RateWindow(this.#limit, this.#lengthMs)
      this.#windows.set(key, window)
    }
    return window
  }
}
