import { type Compilable, type CompiledQuery, Kysely, type RawBuilder } from 'kysely'
import type { Db, Trx } from './connect.ts'

/** What a query is given. Undefined is what is left out. */
type Values = Readonly<Record<string, unknown>>

interface Known<Row> {
  readonly query: CompiledQuery<Row>
  /** The name of the value that stands for each parameter; of one that never changes, the parameter. */
  readonly parameters: readonly { readonly name?: string; readonly fixed?: unknown }[]
}

/**
 * A query whose text is made once and afterwards only given its values: making it anew costs the service more than a
 * simple one costs Postgres.
 *
 * `build` is called with a symbol in the place of each value, so it passes values on and never looks at them, except
 * whether they are there: what is undefined makes another text.
 *
 * ```ts
 * const addonsOf = compiled((db, { plan }: { plan: string }) => db.selectFrom('addon').where('planKey', '=', plan))
 * await addonsOf(db, { plan: 'team' })
 * ```
 */
export function compiled<Given extends object, Row>(
  build: (db: Db | Trx, given: Given) => Compilable<Row> & { execute(): Promise<Row[]> },
): (db: Db | Trx, given: Given) => Promise<Row[]> {
  return remembered({
    compile: (db, given) => build(db, given).compile(),
    execute: (db, given) => build(db, given).execute(),
  })
}

/** The same of a statement that is written as SQL. */
export function compiledSql<Given extends object, Row>(
  build: (given: Given) => RawBuilder<Row>,
): (db: Db | Trx, given: Given) => Promise<Row[]> {
  return remembered({
    compile: (db, given) => build(given).compile(db),
    execute: async (db, given) => (await build(given).execute(db)).rows,
  })
}

interface Query<Given, Row> {
  compile(db: Db | Trx, given: Given): CompiledQuery<Row>
  execute(db: Db | Trx, given: Given): Promise<Row[]>
}

function remembered<Given extends object, Row>(
  query: Query<Given, Row>,
): (db: Db | Trx, given: Given) => Promise<Row[]> {
  const known = new Map<string, Known<Row>>()
  return async (db, given) => {
    // What reads rows as they stood is no Kysely but one in front of which those rows stand: its text is its own.
    if (!(db instanceof Kysely)) return query.execute(db, given)
    const values = given as Values
    const names = Object.keys(values).filter((name) => values[name] !== undefined)
    const shape = names.join()
    const { query: compiledQuery, parameters } = known.get(shape) ?? compile(query, db, names)
    known.set(shape, { query: compiledQuery, parameters })
    const filled = parameters.map(({ name, fixed }) => (name === undefined ? fixed : values[name]))
    const { rows } = await db.executeQuery<Row>({ ...compiledQuery, parameters: filled })
    return rows
  }
}

function compile<Given, Row>(of: Query<Given, Row>, db: Db | Trx, names: readonly string[]): Known<Row> {
  const nameOf = new Map<unknown, string>(names.map((name) => [Symbol(name), name]))
  const standIns = Object.fromEntries([...nameOf].map(([standIn, name]) => [name, standIn]))
  const query = of.compile(db, standIns as Given)
  const parameters = query.parameters.map((parameter) => {
    const name = nameOf.get(parameter)
    return name === undefined ? { fixed: parameter } : { name }
  })
  return { query, parameters }
}
