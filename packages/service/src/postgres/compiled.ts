import { type Compilable, type CompiledQuery, Kysely } from 'kysely'
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
  const known = new Map<string, Known<Row>>()
  return async (db, given) => {
    // What reads rows as they stood is no Kysely but one in front of which those rows stand: its text is its own.
    if (!(db instanceof Kysely)) return build(db, given).execute()
    const values = given as Values
    const names = Object.keys(values).filter((name) => values[name] !== undefined)
    const shape = names.join()
    const { query, parameters } = known.get(shape) ?? compile(build, db, names)
    known.set(shape, { query, parameters })
    const filled = parameters.map(({ name, fixed }) => (name === undefined ? fixed : values[name]))
    const { rows } = await db.executeQuery<Row>({ ...query, parameters: filled })
    return rows
  }
}

function compile<Given, Row>(
  build: (db: Db | Trx, given: Given) => Compilable<Row>,
  db: Db | Trx,
  names: readonly string[],
): Known<Row> {
  const nameOf = new Map<unknown, string>(names.map((name) => [Symbol(name), name]))
  const standIns = Object.fromEntries([...nameOf].map(([standIn, name]) => [name, standIn]))
  const query = build(db, standIns as Given).compile()
  const parameters = query.parameters.map((parameter) => {
    const name = nameOf.get(parameter)
    return name === undefined ? { fixed: parameter } : { name }
  })
  return { query, parameters }
}
