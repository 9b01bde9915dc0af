import type { Meter } from '@lockstep/core/meter'
import { compiled } from '../postgres/compiled.ts'
import type { Db, Trx } from '../postgres/connect.ts'
import { isOneOf } from '../postgres/given.ts'
import type { Row } from './schema.ts'

/** What a meter is made of. */
export const METER_COLUMNS = ['key', 'name', 'unitLabel', 'aggregation', 'rules'] as const

export function meterOf({
  key,
  name,
  unitLabel,
  aggregation,
  rules,
}: Pick<Row<'meter'>, (typeof METER_COLUMNS)[number]>): Meter {
  return { key, name, unitLabel, aggregation, ...rules }
}

/** By key, those that are not archived. */
export function listMeters(
  db: Db,
  { limit, after }: { limit: number; after?: string | undefined },
): Promise<Row<'meter'>[]> {
  let query = db.selectFrom('meter').selectAll().where('archivedAt', 'is', null)
  if (after !== undefined) query = query.where('key', '>', after)
  return query.orderBy('key').limit(limit).execute()
}

export function readMeter(db: Db, key: string): Promise<Row<'meter'> | undefined> {
  return db
    .selectFrom('meter')
    .selectAll()
    .where('key', '=', key)
    .where('archivedAt', 'is', null)
    .executeTakeFirst()
}

const named = compiled((db, { keys }: { readonly keys: readonly string[] }) =>
  db.selectFrom('meter').select(METER_COLUMNS).where(isOneOf('key', keys)),
)

/** Those of these keys, also archived ones: what was used of them is billed. */
export async function metersNamed(db: Db | Trx, keys: readonly string[]): Promise<Meter[]> {
  return keys.length === 0 ? [] : (await named(db, { keys })).map(meterOf)
}
