import type { Feature } from '@lockstep/core/feature'
import { compiled } from '../postgres/compiled.ts'
import type { Db, Trx } from '../postgres/connect.ts'

const features = compiled((db, { onlySold }: { readonly onlySold: true | undefined }) => {
  const query = db
    .selectFrom('feature')
    .select(['key', 'name', 'kind', 'meterKey as meter', 'unitLabel'])
    .orderBy('key')
  return onlySold === undefined ? query : query.where('archivedAt', 'is', null)
})

/** Every feature by key; archived ones too unless told: older versions of plans still grant them. */
export function readFeatures(db: Db | Trx, { archivedToo = true } = {}): Promise<Feature[]> {
  return features(db, { onlySold: archivedToo ? undefined : true })
}
