import * as api from '@lockstep/api/plans'
import { formatInstant } from '@lockstep/core/instant'
import { Problem } from '@lockstep/core/problem'
import type { Db } from '../../postgres/connect.ts'
import { pageOf } from '../../store/page.ts'
import { type PlanVersion, readNewestPlan, readNewestPlans } from '../../store/plans.ts'
import { type App, route } from '../route.ts'
import { grantToApi } from './grant-to-api.ts'
import { priceToApi } from './price-to-api.ts'

/** Named bundles of prices, the newest version of each. */
export function planRoutes(app: App, { db }: { readonly db: Db }): void {
  route(
    app,
    api.listPlans,
  )(async ({ query }) => {
    const page = await pageOf(query.limit, async (limit) =>
      (await readNewestPlans(db, { ...query, limit })).map((version) => ({ id: version.plan.key, version })),
    )
    return { status: 200, body: { ...page, data: page.data.map(({ version }) => planToApi(version)) } }
  })

  route(
    app,
    api.readPlan,
  )(async ({ params }) => {
    const version = await readNewestPlan(db, params.key)
    if (!version || version.isArchived) throw new Problem('plan_not_found', `There is no plan ${params.key}.`)
    return { status: 200, body: planToApi(version) }
  })
}

function planToApi({ version, plan, createdAt }: PlanVersion) {
  return {
    ...plan,
    version,
    prices: plan.prices.map(priceToApi),
    grants: plan.grants.map(grantToApi),
    createdAt: formatInstant(createdAt),
  }
}
