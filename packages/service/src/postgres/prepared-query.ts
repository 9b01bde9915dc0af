import pg from 'pg'

type Connection = pg.Client['connection']

/** What the driver keeps of an answer's columns, and how it reads them. */
interface Columns {
  readonly fields: unknown
  readonly _parsers: unknown
  readonly _prebuiltEmptyResultObject: unknown
}

/** The driver's query as it is inside, in so far as it is made use of here. */
interface Inside extends pg.Query {
  _result: Columns
  _accumulateRows: boolean
  submit(connection: Connection): Error | null
  handleCommandComplete(message: object, connection: Connection): void
}
const Query = pg.Query as unknown as new (text: string, values: unknown[]) => Inside

/** How the driver writes a parameter as text. */
const { prepareValue } = (pg as unknown as { utils: { prepareValue(value: unknown): unknown } }).utils

/**
 * One execution of a named statement. Which columns it answers Postgres is asked only once on a connection: it looks them
 * up each time, and the driver reads them each time, which is a tenth of the service's share of a short read. They
 * cannot be others later: Postgres refuses to execute a prepared statement whose columns have changed.
 */
export class PreparedQuery extends Query {
  readonly #name: string
  readonly #values: unknown[]
  #known: Map<string, Columns> | undefined

  constructor({ name, text, values }: { name: string; text: string; values: unknown[] }) {
    super(text, values)
    Object.assign(this, { name })
    this.#name = name
    this.#values = values
  }

  // What follows is called by the driver.

  override submit(connection: Connection): Error | null {
    const known = columnsOf(connection)
    const columns = known.get(this.#name)
    if (!columns) {
      this.#known = known
      return super.submit(connection)
    }
    Object.assign(this._result, columns)
    this._accumulateRows = true
    const { stream } = connection
    stream.cork()
    try {
      connection.bind(
        { statement: this.#name, values: this.#values, valueMapper: prepareValue } as never,
        true,
      )
      connection.execute({}, true)
      connection.sync()
      return null
    } catch (error) {
      // A parameter that cannot be written: nothing was sent.
      return error as Error
    } finally {
      stream.uncork()
    }
  }

  override handleCommandComplete(message: object, connection: Connection): void {
    const { fields, _parsers, _prebuiltEmptyResultObject } = this._result
    this.#known?.set(this.#name, { fields, _parsers, _prebuiltEmptyResultObject })
    super.handleCommandComplete(message, connection)
  }
}

/** By the statement's name; a name is good for one connection. */
const described = new WeakMap<Connection, Map<string, Columns>>()

function columnsOf(connection: Connection): Map<string, Columns> {
  const known = described.get(connection) ?? new Map<string, Columns>()
  described.set(connection, known)
  return known
}
