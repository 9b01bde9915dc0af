import { isDeepStrictEqual } from 'node:util'
import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely'

/** Names that are remembered; of more than these, the one that came first is forgotten. */
const MOST = 1000

/** Beyond so many statements a round trip is the least of what they cost, and they would be much to keep. */
const MOST_STATEMENTS = 50
const known = new Map<string, readonly CompiledQuery[]>()

interface Ahead {
  readonly query: CompiledQuery
  readonly result: Promise<QueryResult<unknown>>
}

/**
 * A connection for what is asked under a name again and again, round after round: what was asked in later rounds the last time goes
 * out behind the first round, in the same packet. Who asks one of these statements with the same values gets that answer, which is
 * no older than those of the first round; whatever else is asked is asked then. So what is remembered decides only when, never what.
 *
 * `end`, when all is answered: what was asked is what is remembered.
 */
export function askAhead(
  connection: DatabaseConnection,
  name: string,
): { readonly connection: DatabaseConnection; readonly end: () => Promise<void> } {
  const later: CompiledQuery[] = []
  const ahead: Ahead[] = []
  let round: 'none' | 'first' | 'later' = 'none'

  /** Before the packet goes out: whoever asks first has it sent after this ({@link Client}). */
  const ask = () => {
    round = 'later'
    for (const query of known.get(name) ?? []) {
      const result = connection.executeQuery(query)
      // Who asks the same is told, and nobody else.
      result.catch(() => {})
      ahead.push({ query, result })
    }
  }
  return {
    connection: {
      executeQuery: <R>(query: CompiledQuery): Promise<QueryResult<R>> => {
        if (round === 'none') process.nextTick(ask)
        if (round !== 'later') {
          round = 'first'
          return connection.executeQuery(query)
        }
        later.push(query)
        const at = ahead.findIndex((one) => isSame(one.query, query))
        const [one] = at < 0 ? [] : ahead.splice(at, 1)
        return one ? (one.result as Promise<QueryResult<R>>) : connection.executeQuery(query)
      },
      streamQuery: (...args) => connection.streamQuery(...args),
    },
    end: async () => {
      await Promise.allSettled(ahead.map(({ result }) => result))
      const before = known.get(name) ?? []
      if (later.length === before.length && later.every((one, i) => isSame(one, before[i]))) return
      known.delete(name)
      if (later.length > MOST_STATEMENTS) return
      const [first] = known.keys()
      if (known.size >= MOST && first !== undefined) known.delete(first)
      known.set(name, later)
    },
  }
}

const isSame = (a: CompiledQuery, b: CompiledQuery | undefined) =>
  a.sql === b?.sql && isDeepStrictEqual(a.parameters, b.parameters)
