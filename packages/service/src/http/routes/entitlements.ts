import { readEntitlements } from '@lockstep/api/entitlements'
import { type Entitlement, entitlementOf, type GrantedBy } from '@lockstep/core/entitlement'
import { formatInstant } from '@lockstep/core/instant'
import { Problem } from '@lockstep/core/problem'
import { formatQuantity, type Quantity } from '@lockstep/core/quantity'
import { capsOn, type SpendLimit } from '@lockstep/core/spend-limit'
import type { Clock } from '../../clock.ts'
import { currentSpending } from '../../invoice/spending.ts'
import type { Db } from '../../postgres/connect.ts'
import { inOnePacket } from '../../postgres/packet.ts'
import { findCustomer, readCustomer } from '../../store/customers.ts'
import { type FeatureGrants, readGrants } from '../../store/entitlements.ts'
import { holdingLimits } from '../../store/spend-limits.ts'
import { type App, route } from '../route.ts'

/** What customers may use now, asked before every page that is not for everybody. */
export function entitlementRoutes(app: App, { db, clock }: { readonly db: Db; readonly clock: Clock }): void {
  route(
    app,
    readEntitlements,
  )(async ({ query }) => {
    const [found, limits] = await inOnePacket(db, (db) =>
      Promise.all([readGrants(db, { ...query, now: clock.now() }), holdingLimits(db, query.customer)]),
    )
    const [first] = found
    if (!first) return { status: 200, body: { customer: await nothingFor(db, query), data: [] } }
    const capsOf = await readCaps(db, first.customerId, { found, limits })
    const data = found.map((each) =>
      toApi(entitlementOf(each.feature, each.grantedBy, { ...each, capsOn: capsOf(each) })),
    )
    return { status: 200, body: { customer: first.customerId, data } }
  })
}

type Caps = NonNullable<Parameters<typeof entitlementOf>[2]['capsOn']>

/**
 * The caps on what a subscription grants, by the usage of this moment. Nothing is rated where no cap can be on what was
 * asked for: a switch has none, nor a feature that is not granted anyway.
 */
async function readCaps(
  db: Db,
  customerId: string,
  { found, limits }: { readonly found: readonly FeatureGrants[]; readonly limits: readonly SpendLimit[] },
): Promise<(of: FeatureGrants) => Caps> {
  const meters = found.flatMap(({ feature: { meter }, grantedBy }) => (grantedBy.length > 0 ? [meter] : []))
  const isCapped = limits.some(
    ({ cap, meter }) => cap !== null && meters.some((one) => one !== null && (meter ?? one) === one),
  )
  const current = isCapped ? await currentSpending(db, customerId) : []
  return ({ feature: { meter } }) =>
    ({ subscription }) => {
      const come = current.find(({ invoice }) => invoice.subscriptionId === subscription)
      return come && meter !== null ? capsOn(meter, limits, come.spending) : []
    }
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
    cappedBy: answer.cappedBy,
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
