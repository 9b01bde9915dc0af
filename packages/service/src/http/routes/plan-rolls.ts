import * as api from '@lockstep/api/plan-rolls'
import { formatInstant } from '@lockstep/core/instant'
import { Problem } from '@lockstep/core/problem'
import { recurringRevenue } from '@lockstep/core/recurring-revenue'
import type { Db } from '../../postgres/connect.ts'
import { pageOf } from '../../store/page.ts'
import { listPlanRolls, type PlanRoll, readPlanRoll } from '../../store/plan-rolls.ts'
import type { PlanVersion } from '../../store/plans.ts'
import { moneyToApi } from '../money-to-api.ts'
import { type App, route } from '../route.ts'

/** Who is to go on from one version of a plan to another. */
export function planRollRoutes(app: App, { db }: { readonly db: Db }): void {
  route(
    app,
    api.listPlanRolls,
  )(async ({ query }) => {
    const page = await pageOf(query.limit, (limit) => listPlanRolls(db, { ...query, limit }))
    return { status: 200, body: { ...page, data: page.data.map(planRollToApi) } }
  })

  route(
    app,
    api.readPlanRoll,
  )(async ({ params: { id } }) => {
    const roll = await readPlanRoll(db, id)
    if (!roll) throw new Problem('plan_roll_not_found', `There is no plan roll ${id}.`)
    return { status: 200, body: planRollToApi(roll) }
  })
}

function planRollToApi({ id, planKey, from, to, subscriptions, state, plannedAt }: PlanRoll) {
  return {
    ...{ id, plan: planKey, subscriptions, state },
    from: versionToApi(from),
    to: versionToApi(to),
    plannedAt: formatInstant(plannedAt),
  }
}

function versionToApi({ version, plan }: PlanVersion) {
  return { version, amount: moneyToApi(recurringRevenue(plan, 1)) }
}
