import { sql } from 'kysely'
import { CannotStart } from '../cannot-start.ts'
import type { Db } from '../postgres/connect.ts'
import { transaction } from '../postgres/transaction.ts'

/** Who this database is, and what was done to it, outlive a reset. */
const KEPT = ['installation', 'schema_migration']

/**
 * Empties every table, so that a test or a try-out begins anew. Refused where the data are live. What
 * stands at the provider stays there: it carries this installation's name and is met again.
 */
export async function reset(db: Db): Promise<void> {
  await transaction(db, async (trx) => {
    const { livemode } = await trx
      .selectFrom('installation')
      .select('livemode')
      .forUpdate()
      .executeTakeFirstOrThrow()
    if (livemode) {
      throw new CannotStart(
        'This database holds live data and is not reset.',
        'Name another database in DATABASE_URL.',
      )
    }
    const { rows } = await sql<{ name: string }>`
      select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname = current_schema() and c.relkind in ('r', 'p') and not c.relispartition`.execute(trx)
    const tables = rows.map(({ name }) => name).filter((name) => !KEPT.includes(name))
    await sql`truncate ${sql.join(tables.map((table) => sql.table(table)))} restart identity`.execute(trx)
  })
}
