import type { Feature } from '@lockstep/core/feature'
import { compiled } from '../postgres/compiled.ts'
import type { Db, Trx } from '../postgres/connect.ts'
import { grouped } from '../postgres/grouped.ts'

const features = compiled((db, { onlySold }: { readonly onlySold: true | undefined }) => {
  const query = db
    .selectFrom('feature')
    .select(['key', 'name', 'kind', 'meterKey as meter', 'unitLabel'])
    .orderBy('key')
  return onlySold === undefined ? query : query.where('archivedAt', 'is', null)
})

/** Every feature by key; archived ones too unless told: older versions of plans still grant them. */
export function readFeatures(db: Db | Trx, { archivedToo = true } = {}): Promise<Feature[]> {
  return archivedToo ? readAll(db, undefined) : features(db, { onlySold: true })
}

const readAll = grouped(async (db, all: readonly undefined[]) => {
  const everyOne = await features(db, { onlySold: undefined })
  return all.map(() => everyOne)
})
