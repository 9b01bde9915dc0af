import { formatInstant } from '@lockstep/core/instant'
import type { Db } from '../postgres/connect.ts'
import { type EntityType, type Mapping, mappingsOf } from '../store/mappings.ts'

export interface Expansion {
  readonly expand?: 'mappings' | undefined
}

/** The same objects, each with its links where the query asks for them. They are the ones that the list of links has. */
export async function expandMappings<T>(
  db: Db,
  { expand }: Expansion,
  entityType: EntityType,
  objects: readonly T[],
  idOf: (object: T) => string,
): Promise<(T | (T & { mappings: ReturnType<typeof mappingToApi>[] }))[]> {
  if (expand === undefined) return [...objects]
  const links = await mappingsOf(db, entityType, objects.map(idOf))
  return objects.map((object) => ({
    ...object,
    mappings: links.filter(({ entityId }) => entityId === idOf(object)).map(mappingToApi),
  }))
}

/** A link as it is shown; of an invoice there is no row. */
type Linked = Pick<
  Mapping,
  'entityId' | 'providerType' | 'providerId' | 'livemode' | 'origin' | 'createdAt'
> & {
  readonly entityType: EntityType | 'invoice'
}

export function mappingToApi(mapping: Linked) {
  const { entityType, entityId, providerType, providerId, livemode, origin, createdAt } = mapping
  return {
    entityType,
    entityId,
    provider: 'stripe' as const,
    providerType,
    providerId,
    livemode,
    origin,
    createdAt: formatInstant(createdAt),
  }
}
