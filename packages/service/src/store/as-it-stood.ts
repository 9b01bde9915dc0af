import { sql } from 'kysely'
import type { Trx } from '../postgres/connect.ts'
import type { Database } from './schema.ts'

type Row = Record<string, never>

/**
 * Reads with a row as it stood: in every query that is made with what this returns, the table's name
 * stands for that one row. So whatever reads a row reads an older one too, with all that belongs to it.
 */
export function asItStood(trx: Trx, table: keyof Database, row: Readonly<Record<string, unknown>>): Trx {
  const text = JSON.stringify(row)
  const rows = sql<Row>`(select * from jsonb_populate_record(null::${sql.table(table)}, ${text}::jsonb))`
  // It only reads; of a transaction that is all that is asked here.
  return trx.with(table, () => rows) as unknown as Trx
}
