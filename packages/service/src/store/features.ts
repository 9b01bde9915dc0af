import type { Feature } from '@lockstep/core/feature'
import type { Db, Trx } from '../postgres/connect.ts'

/** Every feature by key; archived ones too unless told: older versions of plans still grant them. */
export function readFeatures(db: Db | Trx, { archivedToo = true } = {}): Promise<Feature[]> {
  let query = db
    .selectFrom('feature')
    .select(['key', 'name', 'kind', 'meterKey as meter', 'unitLabel'])
    .orderBy('key')
  if (!archivedToo) query = query.where('archivedAt', 'is', null)
  return query.execute()
}
