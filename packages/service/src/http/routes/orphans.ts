import * as api from '@lockstep/api/orphans'
import { formatInstant } from '@lockstep/core/instant'
import { inBackground } from '../../provider/stripe/limiter.ts'
import type { ServiceParts } from '../../service-parts.ts'
import { type ListedOrphan, listOrphans } from '../../store/orphans.ts'
import { findOrphans } from '../../workflow/orphans/find.ts'
import { settleOrphans } from '../../workflow/orphans/settle.ts'
import { type App, route } from '../route.ts'

type OrphanParts = Pick<ServiceParts, 'db' | 'clock' | 'log' | 'provider'>

/** What stands at the provider under our name without a row here. */
export function orphanRoutes(app: App, parts: OrphanParts): void {
  route(
    app,
    api.listOrphans,
  )(async ({ query }) => {
    const rows = await listOrphans(parts.db, { ...query, after: readCursor(query.after) })
    const data = rows.slice(0, query.limit)
    const hasMore = rows.length > query.limit
    const last = data.at(-1)
    return {
      status: 200,
      body: { data: data.map(orphanToApi), hasMore, nextCursor: hasMore && last ? cursorOf(last) : null },
    }
  })

  route(
    app,
    api.sweepOrphans,
  )(async ({ body: { dryRun } }) => {
    // As long as the account is large: whoever waits for a registration goes first.
    const sweep = () => (dryRun ? findOrphans(parts) : settleOrphans(parts))
    const { looked, orphans } = await inBackground(sweep)
    const found = orphans.map(({ type, id, operation, whose, customerId, madeAt, verdict, reason }) => ({
      ...{ type, providerId: id, operation, verdict, reason },
      ...{ customer: whose?.id ?? null, externalId: whose?.externalId ?? null, providerCustomer: customerId },
      madeAt: formatInstant(madeAt),
    }))
    return { status: 200, body: { dryRun, looked, orphans: found } }
  })
}

function orphanToApi(row: ListedOrphan) {
  const { providerType: type, providerId, operationId: operation, state, reason } = row
  const [foundAt, judgedAt] = [formatInstant(row.foundAt), formatInstant(row.judgedAt)]
  const { customerId: customer, externalId, providerCustomerId: providerCustomer } = row
  const madeAt = row.madeAt === null ? null : formatInstant(row.madeAt)
  return {
    ...{ type, providerId, operation, customer, externalId, providerCustomer },
    ...{ state, reason, madeAt, foundAt, judgedAt },
  }
}

// Stripe's ids do not sort by time, so a cursor carries the time too.
const cursorOf = ({ foundAt, providerId }: ListedOrphan) => `${foundAt}.${providerId}`

function readCursor(cursor: string | undefined) {
  if (cursor === undefined) return undefined
  const [foundAt = '', ...id] = cursor.split('.')
  return { foundAt: Number(foundAt), providerId: id.join('.') }
}
