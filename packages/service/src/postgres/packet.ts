import { type DatabaseConnection, Kysely, PostgresDialect } from 'kysely'
import type { Database } from '../store/schema.ts'
import { askAhead } from './ask-ahead.ts'
import type { Db, Trx } from './connect.ts'

/**
 * Reads that need nothing of each other, asked together: they go out in one packet on one connection, and are
 * done in the order in which they are asked. Each sees what was committed before it.
 *
 * ```ts
 * const [customer, policy] = await inOnePacket(db, (db) => Promise.all([readCustomer(db, id), readPolicy(db)]))
 * ```
 *
 * `name`: of what is asked again and again and goes by the answers of its first round. Then all of it goes out in one packet
 * ({@link askAhead}).
 */
export async function inOnePacket<T>(
  db: Db | Trx,
  ask: (db: Db | Trx) => Promise<T>,
  { name }: { readonly name?: string } = {},
): Promise<T> {
  // In a transaction they are on one connection anyway, and so is what reads rows as they stood: no Kysely, but
  // one in front of which those rows stand.
  if (!(db instanceof Kysely) || db.isTransaction) return ask(db)
  const executor = db.getExecutor()
  const askOn = (connection: DatabaseConnection) => {
    const held = executor.withConnectionProvider({ provideConnection: (consumer) => consumer(connection) })
    return ask(new Kysely<Database>({ ...inert, executor: held }))
  }
  return executor.provideConnection(async (connection) => {
    if (name === undefined) return askOn(connection)
    const ahead = askAhead(connection, name)
    try {
      return await askOn(ahead.connection)
    } finally {
      await ahead.end()
    }
  })
}

/** What a Kysely carries besides that opens no connections of its own. */
const dialect = new PostgresDialect({
  pool: async () => {
    throw new Error('It has its connection.')
  },
})
export const inert = { config: { dialect }, dialect, driver: dialect.createDriver() }
