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
/** Answers are long: only the last ones are kept, and the beginning of each. */
const ANSWERS_KEPT = 500
const ANSWER_LENGTH = 100_000

/** The last requests, and how many there were of each route since the log was cleared. */
export class RequestLog {
  #requests: LoggedRequest[] = []
  /** By route, then by method. */
  readonly #counts = new Map<string, Map<string, number>>()
  /** Of the last requests, in a ring. */
  #answers: { readonly id: string; readonly text: string }[] = []
  #total = 0

  add(request: LoggedRequest, answer: string): void {
    this.#answers[this.#total % ANSWERS_KEPT] = {
      id: request.id,
      text: answer.length > ANSWER_LENGTH ? answer.slice(0, ANSWER_LENGTH) : answer,
    }
    this.#requests.push(request)
    // Cut in blocks, so that a long run does not move the whole log at every request.
    if (this.#requests.length >= 2 * KEPT) this.#requests = this.#requests.slice(-KEPT)
    this.#total++
    const { method, route, path } = request
    const counts = this.#counts.get(route ?? path) ?? new Map<string, number>()
    if (counts.size === 0) this.#counts.set(route ?? path, counts)
    counts.set(method, (counts.get(method) ?? 0) + 1)
  }

  read(): { total: number; counts: Record<string, number>; requests: LoggedRequest[] } {
    return {
      total: this.#total,
      counts: Object.fromEntries(
        [...this.#counts].flatMap(([path, counts]) =>
          [...counts].map(([method, count]) => [`${method} ${path}`, count] as const),
        ),
      ),
      requests: this.#requests.slice(-KEPT),
    }
  }

  get total(): number {
    return this.#total
  }

  get(id: string): LoggedRequest | undefined {
    return this.#requests.find((request) => request.id === id)
  }

  /** The beginning of what a request was answered; undefined when it is long ago. */
  answerTo(id: string): string | undefined {
    return this.#answers.find((answer) => answer.id === id)?.text
  }

  /** Newest first, strictly older than the request `cursor` where one is given. */
  older(cursor: string | undefined, count: number): LoggedRequest[] {
    const known = cursor === undefined ? -1 : this.#requests.findLastIndex(({ id }) => id === cursor)
    const end = known < 0 ? this.#requests.length : known
    return this.#requests.slice(Math.max(0, end - count), end).reverse()
  }

  clear(): void {
    this.#answers = []
    this.#requests = []
    this.#counts.clear()
    this.#total = 0
  }
}
