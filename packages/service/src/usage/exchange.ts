import type pg from 'pg'
import { bindMessage } from './bind-message.ts'

/** A prepared statement, its parameters as text or, in a Buffer, as Postgres' binary form. */
export interface Statement<Answer> {
  readonly name: string
  readonly text: string
  readonly values: readonly (string | Buffer)[]
  read(rows: Rows, tag: string): Answer
}

/** Columns as Postgres writes them. */
export type Rows = readonly (readonly (string | null)[])[]

interface Result {
  readonly rows: Rows
  /** What was done, in Postgres' words: `SELECT 3`, `COMMIT`. */
  readonly tag: string
}

type Answers<S extends readonly Statement<unknown>[]> = {
  -readonly [I in keyof S]: S[I] extends Statement<infer Answer> ? Answer : never
}

type Connection = pg.Client['connection']

/**
 * Several statements in one packet there and one back, more than once in a transaction. The driver
 * sends, and Postgres answers, each query by itself; with small transactions that is most of the work.
 *
 * ```ts
 * const exchange = new Exchange()
 * client.query(exchange)
 * const [one, two] = await exchange.send([...])
 * await exchange.finish([...])
 * ```
 *
 * After a failure the connection is in an unknown state and has to be closed.
 */
export class Exchange implements pg.Submittable {
  #connection: Connection | undefined
  #expected = 0
  #rows: (string | null)[][] = []
  #results: Result[] = []
  #finishing = false
  #failure: Error | undefined
  #settle: { resolve(results: Result[]): void; reject(error: Error): void } | undefined

  /** Sends statements and waits for their answers; the transaction goes on. */
  async send<const S extends readonly Statement<unknown>[]>(statements: S): Promise<Answers<S>> {
    return this.#exchange(statements)
  }

  /** Sends the last statements. Then the connection may be used otherwise. */
  async finish<const S extends readonly Statement<unknown>[]>(statements: S): Promise<Answers<S>> {
    this.#finishing = true
    return this.#exchange(statements)
  }

  async #exchange<S extends readonly Statement<unknown>[]>(statements: S): Promise<Answers<S>> {
    const results = await new Promise<Result[]>((resolve, reject) => {
      this.#settle = { resolve, reject }
      this.#results = []
      this.#expected = statements.length
      if (this.#failure) reject(this.#failure)
      else this.#write(statements)
    })
    return results.map(({ rows, tag }, i) => statements[i]?.read(rows, tag)) as Answers<S>
  }

  #write(statements: readonly Statement<unknown>[]): void {
    const connection = this.#connection
    // The driver found the connection broken, and is about to say so.
    if (!connection) return
    const known = preparedOf(connection)
    connection.stream.cork()
    for (const { name, text, values } of statements) {
      if (!known.has(name)) connection.parse({ name, text, types: [] }, true)
      known.add(name)
      for (const piece of bindMessage(name, values)) connection.stream.write(piece)
      connection.execute({}, true)
    }
    if (this.#finishing) connection.sync()
    else connection.flush()
    connection.stream.uncork()
  }

  // What follows is called by the driver.

  submit(connection: Connection): void {
    this.#connection = connection
  }

  handleRowDescription(): void {}

  handleDataRow({ fields }: { fields: (string | null)[] }): void {
    this.#rows.push(fields)
  }

  handleCommandComplete({ text }: { text: string }): void {
    this.#results.push({ rows: this.#rows, tag: text })
    this.#rows = []
    if (!this.#finishing && this.#results.length === this.#expected) this.#settle?.resolve(this.#results)
  }

  handleReadyForQuery(): void {
    this.#settle?.resolve(this.#results)
  }

  handleError(error: Error): void {
    this.#failure = error
    this.#settle?.reject(error)
  }
}

/** Statements are parsed once for each connection. */
const prepared = new WeakMap<Connection, Set<string>>()

function preparedOf(connection: Connection): Set<string> {
  const names = prepared.get(connection) ?? new Set()
  prepared.set(connection, names)
  return names
}
