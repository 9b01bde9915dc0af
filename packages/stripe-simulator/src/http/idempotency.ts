import { StripeError } from '../errors.ts'

/** What the first request with a key was and what it was answered. https://docs.stripe.com/api/idempotent_requests */
export interface KeptAnswer {
  readonly key: string
  readonly path: string
  readonly params: string
  readonly requestId: string
  readonly at: number
  /** Null while the first request runs. */
  answer: { readonly status: number; readonly body: string } | null
}

const KEPT_SECONDS = 24 * 3600

/** The keys of POST requests, pruned a day after their first use. */
export class IdempotencyKeys {
  readonly #kept = new Map<string, KeptAnswer>()
  /** Keys whose answer came or went and was not taken yet; undefined when nobody follows. */
  #changed: Set<string> | undefined
  #onChange: () => void = () => {}

  /** What was kept for the key; without an answer the request is to be run, and the key is held for it. */
  claim(key: string, path: string, params: string, requestId: string, now: number): KeptAnswer {
    if (key.length > 255) {
      throw new StripeError(400, {
        type: 'invalid_request_error',
        message: 'Idempotency keys may have at most 255 characters.',
      })
    }
    const kept = this.#kept.get(key)
    if (kept === undefined || kept.at <= now - KEPT_SECONDS) {
      // Taken out first, so that it is the last one in order.
      if (kept !== undefined) this.#kept.delete(key)
      const held = { key, path, params, requestId, at: now, answer: null }
      this.#kept.set(key, held)
      this.#prune(now)
      return held
    }
    if (kept.path !== path) throw mismatch('for the same endpoint they were first used for', key, kept.path)
    if (kept.params !== params) {
      throw mismatch('with the same parameters they were first used with', key)
    }
    if (kept.answer === null) {
      throw new StripeError(409, {
        type: 'idempotency_error',
        code: 'idempotency_key_in_use',
        message: `There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through): ${key}. If you're still having trouble, please contact support.`,
      })
    }
    return kept
  }

  keep(held: KeptAnswer, status: number, body: string): void {
    held.answer = { status, body }
    this.#remember(held.key)
  }

  /** The endpoint never began: the key may be used again as if it were new. */
  release(key: string): void {
    this.#kept.delete(key)
  }

  /**
   * Forgets what was kept, as Stripe does some time after 24 hours, for one key or for all: the next request
   * with it is a new one. Requests that run are not touched. Answers how many were forgotten.
   */
  forget(key?: string): number {
    const known = this.all().filter((kept) => key === undefined || kept.key === key)
    for (const kept of known) {
      this.#kept.delete(kept.key)
      this.#remember(kept.key)
    }
    return known.length
  }

  /** From now on changes are remembered until they are taken. */
  follow(onChange: () => void): void {
    this.#changed = new Set()
    this.#onChange = onChange
  }

  takeChanges(): { gone: string[]; kept: KeptAnswer[] } {
    const gone: string[] = []
    const kept: KeptAnswer[] = []
    for (const key of this.#changed ?? []) {
      const one = this.#kept.get(key)
      if (one === undefined || one.answer === null) gone.push(key)
      else kept.push(one)
    }
    this.#changed?.clear()
    return { gone, kept }
  }

  all(): KeptAnswer[] {
    return [...this.#kept.values()].filter((kept) => kept.answer !== null)
  }

  load(answers: readonly KeptAnswer[]): void {
    for (const kept of answers) this.#kept.set(kept.key, kept)
  }

  #remember(key: string): void {
    if (this.#changed === undefined) return
    this.#changed.add(key)
    this.#onChange()
  }

  /** Keys are in order of first use, so the old ones are at the front. */
  #prune(now: number): void {
    for (const kept of this.#kept.values()) {
      if (kept.at > now - KEPT_SECONDS) return
      this.#kept.delete(kept.key)
    }
  }
}

function mismatch(how: string, key: string, endpoint?: string): StripeError {
  const where = endpoint === undefined ? '' : ` ('${endpoint}')`
  return new StripeError(400, {
    type: 'idempotency_error',
    message: `Keys for idempotent requests can only be used ${how}${where}. Try using a key other than '${key}' if you meant to execute a different request.`,
  })
}
