export interface LoggedRequest {
  readonly id: string
  readonly at: number
  readonly method: string
  readonly path: string
  /** The route that answered, such as `/v1/customers/:id`; null when none did. */
  readonly route: string | null
  readonly idempotency_key: string | null
  readonly replayed: boolean
  readonly status: number | null
  readonly fault: string | null
  readonly params: string
}

const KEPT = 10_000

/** The last requests, and how many there were of each route since the log was cleared. */
export class RequestLog {
  #requests: LoggedRequest[] = []
  #counts = new Map<string, number>()
  #total = 0

  add(request: LoggedRequest): void {
    this.#requests.push(request)
    // Cut in blocks, so that a long run does not move the whole log at every request.
    if (this.#requests.length >= 2 * KEPT) this.#requests = this.#requests.slice(-KEPT)
    this.#total++
    const name = `${request.method} ${request.route ?? request.path}`
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1)
  }

  read(): { total: number; counts: Record<string, number>; requests: LoggedRequest[] } {
    return {
      total: this.#total,
      counts: Object.fromEntries(this.#counts),
      requests: this.#requests.slice(-KEPT),
    }
  }

  clear(): void {
    this.#requests = []
    this.#counts.clear()
    this.#total = 0
  }
}
