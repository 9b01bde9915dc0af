import type { Meter } from '@lockstep/core/meter'
import type { Plan } from '@lockstep/core/plan'
import type { Db, Trx } from '../postgres/connect.ts'
import { metersNamed } from './meters.ts'
import { loadPlanVersions } from './plans.ts'

/** By what a period is rated: one plan version, and the meters that its prices name. */
export interface RatingTerms {
  readonly plan: Plan
  readonly meters: readonly Meter[]
}

/** The terms of some plan versions, by the version's id. */
export async function readTerms(
  db: Db | Trx,
  planVersionIds: readonly string[],
): Promise<ReadonlyMap<string, RatingTerms>> {
  const versions = await loadPlanVersions(db, [...new Set(planVersionIds)])
  const metered = versions.map(({ id, plan }) => {
    const keys = plan.prices.flatMap(({ meter }) => meter ?? [])
    return { id, plan, keys: [...new Set(keys)] }
  })
  const meters = await metersNamed(
    db,
    metered.flatMap(({ keys }) => keys),
  )
  return new Map(
    metered.map(({ id, plan, keys }) => [
      id,
      { plan, meters: keys.flatMap((key) => meters.find((meter) => meter.key === key) ?? []) },
    ]),
  )
}
