import { readEntitlements } from '@lockstep/api/entitlements'
import { type Entitlement, entitlementOf, type GrantedBy } from '@lockstep/core/entitlement'
import { formatInstant } from '@lockstep/core/instant'
import { Problem } from '@lockstep/core/problem'
import { formatQuantity, type Quantity } from '@lockstep/core/quantity'
import type { Clock } from '../../clock.ts'
import type { Db } from '../../postgres/connect.ts'
import { findCustomer, readCustomer } from '../../store/customers.ts'
import { readGrants } from '../../store/entitlements.ts'
import { type App, route } from '../route.ts'

/** What customers may use now, asked before every page that is not for everybody. */
export function entitlementRoutes(app: App, { db, clock }: { readonly db: Db; readonly clock: Clock }): void {
  route(
    app,
    readEntitlements,
  )(async ({ query }) => {
    const found = await readGrants(db, { ...query, now: clock.now() })
    const [first] = found
    if (!first) return { status: 200, body: { customer: await nothingFor(db, query), data: [] } }
    const data = found.map((each) => toApi(entitlementOf(each.feature, each.grantedBy, each)))
    return { status: 200, body: { customer: first.customerId, data } }
  })
}

/** Nothing was found: because there is no such customer or feature, or no feature at all. */
async function nothingFor(
  db: Db,
  { customer, feature }: { readonly customer: string; readonly feature?: string | undefined },
): Promise<string> {
  const known = (await readCustomer(db, customer)) ?? (await findCustomer(db, customer))
  if (!known) throw new Problem('customer_not_found', `There is no customer ${customer}.`)
  if (feature !== undefined) throw new Problem('feature_not_found', `There is no feature ${feature}.`)
  return known.id
}

function toApi({ feature, by, ...answer }: Entitlement) {
  const { key, name, kind, unitLabel } = feature
  return {
    ...{ feature: key, name, kind, unitLabel },
    allowed: answer.allowed,
    reason: answer.reason,
    upTo: maybe(answer.upTo),
    used: maybe(answer.used),
    left: maybe(answer.left),
    source: by && sourceToApi(by),
  }
}

function sourceToApi({ subscription, status, access, plan, planVersion, addons, period }: GrantedBy) {
  return {
    ...{ subscription, status, access, plan, planVersion, addons: [...addons] },
    period: { start: formatInstant(period.start), end: formatInstant(period.end) },
  }
}

const maybe = (quantity: Quantity | null) => (quantity === null ? null : formatQuantity(quantity))
