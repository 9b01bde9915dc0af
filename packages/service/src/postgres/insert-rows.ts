import { type CompiledQuery, type RawBuilder, sql } from 'kysely'
import type { Database, NewRow, Row } from '../store/schema.ts'
import type { Db, Trx } from './connect.ts'

/** A row to insert; JSON in it is given as it is read, not as text. */
export type GivenRow<Table extends keyof Database, Column extends string> = {
  readonly [Name in Column & keyof NewRow<Table>]: NewRow<Table>[Name] extends string | null | undefined
    ? Name extends keyof Row<Table>
      ? Row<Table>[Name]
      : never
    : NewRow<Table>[Name]
}

/**
 * Inserts any number of rows by one text, which is made once: they are one parameter. What is not named here has its
 * default; what a row leaves out is null. `after` says what else the statement does: where it meets a row that is there (`known`), what it returns.
 *
 * ```ts
 * const addSlots = insertRows('subscriptionSlot', ['customerId', 'slot'], sql`on conflict do nothing`)
 * await addSlots(trx, [{ customerId, slot: 'default' }])
 * ```
 */
export function insertRows<
  Table extends keyof Database,
  Column extends keyof NewRow<Table> & string,
  Answer = never,
>(
  table: Table,
  columns: readonly Column[],
  after: RawBuilder<Answer> = sql``,
): (db: Db | Trx, rows: readonly GivenRow<Table, Column>[]) => Promise<Answer[]> {
  const names = columns.map((column) => [column, snakeCase(column)] as const)
  const known = new Set<string>(columns)
  const listed = sql.join(columns.map((column) => sql.ref(column)))
  let query: CompiledQuery<Answer> | undefined
  return async (db, rows) => {
    query ??= sql<Answer>`
      insert into ${sql.table(table)} as known (${listed})
      select ${listed} from jsonb_populate_recordset(null::${sql.table(table)}, ${'[]'}::jsonb) ${after}`.compile(
      db,
    )
    const given = rows.map((row: Readonly<Record<string, unknown>>) => {
      const lost = Object.keys(row).find((name) => !known.has(name))
      if (lost !== undefined) throw new Error(`Nobody writes ${lost} of ${table}.`)
      return Object.fromEntries(names.map(([column, name]) => [name, inJson(row[column])]))
    })
    const answer = await db.executeQuery<Answer>({ ...query, parameters: [JSON.stringify(given)] })
    return answer.rows
  }
}

const snakeCase = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** What JSON has no word for is read by Postgres as text. */
function inJson(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  return Buffer.isBuffer(value) ? `\\x${value.toString('hex')}` : value
}
