import * as api from '@lockstep/api/plans'
import { formatInstant } from '@lockstep/core/instant'
import type { Audience } from '@lockstep/core/plan'
import { Problem } from '@lockstep/core/problem'
import type { Db } from '../../postgres/connect.ts'
import { pageOf } from '../../store/page.ts'
import { type PlanVersion, readNewestPlan, readNewestPlans } from '../../store/plans.ts'
import type { Caller } from '../caller.ts'
import { expandMappings } from '../expand-mappings.ts'
import { type App, route } from '../route.ts'
import { grantToApi } from './grant-to-api.ts'
import { priceToApi } from './price-to-api.ts'

/** Named bundles of prices, the newest version of each. */
export function planRoutes(app: App, { db }: { readonly db: Db }): void {
  route(
    app,
    api.listPlans,
  )(async ({ query, caller }) => {
    // What is not for sale to everybody is not there for a user.
    if (!sees(caller, query.audience))
      return { status: 200, body: { data: [], hasMore: false, nextCursor: null } }
    const audience = caller.kind === 'user' ? 'public' : query.audience
    const page = await pageOf(query.limit, async (limit) =>
      (await readNewestPlans(db, { ...query, audience, limit })).map((version) => ({
        id: version.plan.key,
        version,
      })),
    )
    const plans = page.data.map(({ version }) => planToApi(version))
    const data = await expandMappings(db, query, 'plan', plans, ({ key }) => key)
    return { status: 200, body: { ...page, data } }
  })

  route(
    app,
    api.readPlan,
  )(async ({ params, query, caller }) => {
    const version = await readNewestPlan(db, params.key)
    if (!version || version.isArchived || !sees(caller, version.plan.audience))
      throw new Problem('plan_not_found', `There is no plan ${params.key}.`)
    const plan = planToApi(version)
    const [body = plan] = await expandMappings(db, query, 'plan', [plan], ({ key }) => key)
    return { status: 200, body }
  })
}

export const sees = (caller: Caller, audience: Audience | undefined): boolean =>
  caller.kind === 'key' || audience === undefined || audience === 'public'

function planToApi({ version, plan, createdAt }: PlanVersion) {
  return {
    ...plan,
    version,
    prices: plan.prices.map(priceToApi),
    grants: plan.grants.map(grantToApi),
    createdAt: formatInstant(createdAt),
  }
}
