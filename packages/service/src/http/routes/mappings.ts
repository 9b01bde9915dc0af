import * as api from '@lockstep/api/mappings'
import { formatInstant } from '@lockstep/core/instant'
import type { Db } from '../../postgres/connect.ts'
import { listMappings, type Mapping } from '../../store/mappings.ts'
import { pageOf } from '../../store/page.ts'
import { type App, route } from '../route.ts'

/** Which object of ours is which of the provider's. */
export function mappingRoutes(app: App, { db }: { readonly db: Db }): void {
  route(
    app,
    api.listMappings,
  )(async ({ query: { after, ...filter } }) => {
    const page = await pageOf(filter.limit, async (limit) => {
      const rows = await listMappings(db, { ...filter, limit, after: positionOf(after) })
      return rows.map((row) => ({ id: `${row.entityType}/${row.entityId}`, row }))
    })
    return { status: 200, body: { ...page, data: page.data.map(({ row }) => mappingToApi(row)) } }
  })
}

/** A cursor that nobody gave out is one that nothing comes after or before: it reads as the end. */
function positionOf(cursor: string | undefined): [string, string] | undefined {
  if (cursor === undefined) return undefined
  const [type = '', ...id] = cursor.split('/')
  return [type, id.join('/')]
}

function mappingToApi(mapping: Mapping) {
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
