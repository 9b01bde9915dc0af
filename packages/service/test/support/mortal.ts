import type { Pool, PoolClient } from 'pg'
import { type Connection, connect } from '../../src/postgres/connect.ts'

export interface Mortal extends Connection {
  died(): boolean
}

/**
 * A process's connections that are gone after so many statements: what it had sent is done, what it
 * does afterwards nobody hears. For everybody else that is a process which was killed there.
 */
export function mortalConnection(url: string, statements: number): Mortal {
  const connection = connect(url, { poolSize: 5, patienceMs: 600_000 })
  let left = statements
  const beat = () => {
    left -= 1
    if (left < 0) throw new Error('The process is dead.')
  }
  guard(connection.pool, beat)
  return { ...connection, died: () => left < 0 }
}

function guard(pool: Pool, beat: () => void): void {
  const connectOf = pool.connect.bind(pool) as () => Promise<PoolClient>
  const known = new WeakSet<object>()
  const guarded = async () => {
    beat()
    const client = await connectOf()
    if (known.has(client)) return client
    known.add(client)
    const query = client.query.bind(client) as (...args: unknown[]) => unknown
    client.query = ((...args: unknown[]) => {
      beat()
      return query(...args)
    }) as typeof client.query
    return client
  }
  pool.connect = guarded as unknown as typeof pool.connect
}
