import { sql } from 'kysely'
import type { Trx } from '../postgres/connect.ts'

const LONGEST_KEY = 63

/** A key that a catalogue can name: the words of the name, and a number where one of these has them already. */
export async function freeKey(
  trx: Trx,
  name: string,
  tables: readonly ('plan' | 'product' | 'addon' | 'coupon')[],
): Promise<string> {
  const words = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, LONGEST_KEY - 8)
  const stem = words === '' ? (tables[0] ?? '') : words
  const found = tables.map(
    (table) => sql`select key from ${sql.table(table)} where key = ${stem} or key like ${`${stem}-%`}`,
  )
  const { rows } = await sql<{ key: string }>`${sql.join(found, sql` union `)}`.execute(trx)
  const taken = new Set(rows.map(({ key }) => key))
  for (let number = 1; ; number += 1) {
    const key = number === 1 ? stem : `${stem}-${number}`
    if (!taken.has(key)) return key
  }
}
