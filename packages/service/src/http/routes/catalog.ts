import * as api from '@lockstep/api/catalog'
import { catalogDocumentOf } from '@lockstep/api/catalog-document'
import { type Catalog, defineCatalog } from '@lockstep/core/catalog'
import type { CatalogInput } from '@lockstep/core/catalog-input'
import type { Clock } from '../../clock.ts'
import type { Db } from '../../postgres/connect.ts'
import type { Provider } from '../../provider/stripe/account.ts'
import { readCatalog } from '../../store/catalog.ts'
import { applyCatalog, type ChangeForWhom, planCatalog } from '../../workflow/apply-catalog.ts'
import type { Workflows } from '../../workflow/workflows.ts'
import { type App, route } from '../route.ts'

interface CatalogParts {
  readonly db: Db
  readonly clock: Clock
  readonly provider: Pick<Provider, 'sync'>
  readonly workflows: Workflows
}

/** Everything that is for sale, as one document: read, compared, applied. */
export function catalogRoutes(app: App, parts: CatalogParts): void {
  route(
    app,
    api.readCatalog,
  )(async () => ({
    status: 200,
    body: catalogDocumentOf(await readCatalog(parts.db)),
  }))

  route(
    app,
    api.planCatalog,
  )(async ({ body }) => ({
    status: 200,
    body: { changes: changesToApi(await planCatalog(parts, catalogOf(body))) },
  }))

  route(
    app,
    api.applyCatalog,
  )(async ({ body }) => ({
    status: 200,
    body: { changes: changesToApi(await applyCatalog(parts, catalogOf(body))) },
  }))
}

/** The form was checked at the door; what its references and numbers mean is checked here. */
function catalogOf(document: api.CatalogDocument): Catalog {
  return defineCatalog(document as CatalogInput<string, string, string, string>)
}

function changesToApi(changes: readonly ChangeForWhom[]) {
  return changes.map(({ kind, action, key, details, subscribers }) => ({
    ...{ kind, key, action, details: [...details] },
    subscribers: subscribers.map(({ version, count }) => ({ version, count })),
  }))
}
