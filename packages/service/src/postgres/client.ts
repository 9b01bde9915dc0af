import pg from 'pg'
import { PreparedQuery } from './prepared-query.ts'

/**
 * A connection on which a statement costs little. Each statement is prepared once, so that Postgres parses
 * and plans it once; what is asked in the same moment goes out in one packet, answered in order; and a
 * transaction begins with its first statement instead of with a round trip of its own.
 *
 * So statements that need nothing of each other are asked together:
 *
 * ```ts
 * await Promise.all([addWorkflow(trx, workflow), addRegistration(trx, registration)])
 * ```
 */
export class Client extends pg.Client {
  #corked = false

  override query(...args: unknown[]): never {
    const [text, values] = args
    this.#gather()
    if (text === 'begin') return this.#begin() as never
    if (typeof text !== 'string' || !Array.isArray(values) || args.length > 2) return this.#ask(args) as never
    const isOne = values.length > 0 || text.startsWith('select')
    return (isOne ? this.#prepared(text, values) : this.#ask(args)) as never
  }

  /** Everything that is asked before the event loop turns is sent at once. */
  #gather(): void {
    const { stream } = this.connection
    if (this.#corked) return
    this.#corked = true
    stream.cork()
    process.nextTick(() => {
      this.#corked = false
      stream.uncork()
    })
  }

  /** Nobody waits for it. Without it what comes next must not be done, so the connection ends, and tells. */
  #begin(): Promise<unknown> {
    this.#ask(['begin']).catch(() => this.connection.stream.destroy())
    return Promise.resolve({ command: 'BEGIN', rowCount: null, rows: [] })
  }

  async #prepared(text: string, values: unknown[]): Promise<unknown> {
    const name = nameOf(text)
    try {
      return await this.#named(name, text, values)
    } catch (error) {
      // It came out of the socket: from here the way leads back to whoever asked.
      if (error instanceof Error) Error.captureStackTrace(error)
      if (!isOutdated(error)) throw error
      names.set(text, newName())
      // In a transaction it is the whole that is repeated: `transaction` does.
      if (this.getTransactionStatus() !== 'I') throw error
      return this.#named(nameOf(text), text, values)
    }
  }

  /** As `query` does it with an object, but without the copy that it makes of that: a quarter of its time. */
  #named(name: string | undefined, text: string, values: unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const callback = (error: unknown, result: unknown) => (error ? reject(error) : resolve(result))
      const query =
        name === undefined ? new pg.Query(text, values) : new PreparedQuery({ name, text, values })
      void this.#ask([Object.assign(query, { callback })])
    })
  }

  #ask(args: unknown[]): Promise<unknown> {
    return (super.query as (...args: unknown[]) => Promise<unknown>)(...args)
  }
}

/** A table was changed since the statement was prepared: a newer version migrates while this one runs. */
export function isOutdated(error: unknown): boolean {
  return error instanceof Error && 'routine' in error && error.routine === 'RevalidateCachedQuery'
}

/** Texts with lists in them have no end. Those beyond are not prepared under a name. */
const MOST_NAMES = 500
const names = new Map<string, string | undefined>()
let count = 0
const newName = () => `s${++count}`

function nameOf(text: string): string | undefined {
  if (!names.has(text) && names.size < MOST_NAMES) names.set(text, newName())
  return names.get(text)
}
