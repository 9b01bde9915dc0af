import { formatInstant } from '@lockstep/core/instant'
import type { Db } from '../postgres/connect.ts'
import { type EntityType, type Mapping, mappingsOf } from '../store/mappings.ts'

interface Expansion {
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

export function mappingToApi(mapping: Mapping) {
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
