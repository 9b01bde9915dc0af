import { Kysely, PostgresDialect } from 'kysely'
import type { Database } from '../store/schema.ts'
import type { Db, Trx } from './connect.ts'

/**
 * Reads that need nothing of each other, asked together: they go out in one packet on one connection, and are
 * done in the order in which they are asked. Each sees what was committed before it.
 *
 * ```ts
 * const [customer, policy] = await inOnePacket(db, (db) => Promise.all([readCustomer(db, id), readPolicy(db)]))
 * ```
 */
export async function inOnePacket<T>(db: Db | Trx, ask: (db: Db | Trx) => Promise<T>): Promise<T> {
  // In a transaction they are on one connection anyway, and so is what reads rows as they stood: no Kysely, but
  // one in front of which those rows stand.
  if (!(db instanceof Kysely) || db.isTransaction) return ask(db)
  const executor = db.getExecutor()
  return executor.provideConnection((connection) => {
    const held = executor.withConnectionProvider({ provideConnection: (consumer) => consumer(connection) })
    return ask(new Kysely<Database>({ ...inert, executor: held }))
  })
}

/** What a Kysely carries besides that opens no connections of its own. */
const dialect = new PostgresDialect({
  pool: async () => {
    throw new Error('It has its connection.')
  },
})
export const inert = { config: { dialect }, dialect, driver: dialect.createDriver() }
