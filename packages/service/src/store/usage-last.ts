import { type RawBuilder, sql } from 'kysely'

/** The same order as ingest's: time, then id by Unicode, then quantity. */
export const ofLast = (column: 'quantity' | 'time' | 'id'): RawBuilder<unknown> =>
  sql`(array_agg(${sql.ref(column)} order by time desc, id collate "C" desc, quantity desc))[1]`
