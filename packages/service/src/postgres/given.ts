import { type RawBuilder, sql } from 'kysely'

/**
 * All of them, though Postgres cannot see that: of a limit that it does not know it takes a tenth of what it guessed.
 */
const unseen = sql`limit (select null::bigint)`

/**
 * What is given with a statement, as a relation to look up by: a list, or objects in JSON. `as` names it and its columns.
 *
 * Postgres guesses ten rows of a list and a hundred of JSON, and reads a whole table rather than look up so many while
 * the table is small. It keeps that plan while the table grows: then every statement reads all of it. So it is made to
 * guess one row, whose place it looks up by an index.
 */
export function given(rows: RawBuilder<unknown>, as: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`(select * from (select * from ${rows} as ${as} ${unseen}) as few ${unseen})`
}

/**
 * One of these, by one text for any number of them: Postgres would plan anew each time if it saw how many there are,
 * because a plan for just these looks cheaper. It looks each of them up ({@link given}).
 */
export function isOneOf(column: string, values: readonly string[]): RawBuilder<boolean> {
  return sql<boolean>`${sql.ref(column)} in (select unnest(${values}::text[]) ${unseen})`
}
