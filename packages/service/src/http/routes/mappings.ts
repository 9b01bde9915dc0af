import * as api from '@lockstep/api/mappings'
import type { Bell } from '../../bell.ts'
import { listMappings } from '../../store/mappings.ts'
import { pageOf } from '../../store/page.ts'
import { linkByHand, unlinkByHand } from '../../workflow/link-by-hand.ts'
import type { LookDeps } from '../../workflow/look.ts'
import { mappingToApi } from '../expand-mappings.ts'
import { type App, route } from '../route.ts'

type MappingParts = LookDeps & { readonly bell: Bell }

/** Which object of ours is which of the provider's. */
export function mappingRoutes(app: App, parts: MappingParts): void {
  const { db, bell } = parts
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

  route(
    app,
    api.linkMapping,
  )(async ({ body }) => {
    const made = await linkByHand(parts, body)
    bell.emit('inbox')
    return { status: 201, body: mappingToApi(made) }
  })

  route(
    app,
    api.unlinkMapping,
  )(async ({ params: { entityType, entityId } }) => ({
    status: 200,
    body: mappingToApi(await unlinkByHand(parts, entityType, entityId)),
  }))
}

function positionOf(cursor: string | undefined): [string, string] | undefined {
  if (cursor === undefined) return undefined
  const [type = '', ...id] = cursor.split('/')
  return [type, id.join('/')]
}
