import { addonRevenue, recurringRevenue } from '@lockstep/core/recurring-revenue'
import { loadAttached, soldOf } from '../../store/addons.ts'
import { historyPages } from '../../store/drift.ts'
import { loadPlanVersions } from '../../store/plans.ts'
import type { LookDeps } from '../look.ts'
import type { Drift } from './drift.ts'

/**
 * What subscriptions cost in each stretch of their history, held against what its plan, its numbers and its add-ons bring: a version
 * that is sold never changes, so that the fee follows from them. Which of them was altered nothing here says; what was billed is on
 * the provider's invoices.
 */
export async function compareHistory({ db }: Pick<LookDeps, 'db'>): Promise<Drift[]> {
  const drifts: Drift[] = []
  for await (const stretches of historyPages(db)) {
    const ids = [...new Set(stretches.map(({ planVersionId }) => planVersionId))]
    const plans = new Map((await loadPlanVersions(db, ids)).map((version) => [version.id, version.plan]))
    const attached = await loadAttached(
      db,
      stretches.flatMap(({ addons }) => addons),
    )
    for (const stretch of stretches) {
      const { subscriptionId, ordinal, planVersionId, quantity, itemNumbers, currency, addons } = stretch
      const plan = plans.get(planVersionId)
      if (!plan) throw new Error(`There is no plan version ${planVersionId}.`)
      const its = attached.splice(0, addons.length).map(soldOf)
      const fee =
        recurringRevenue(plan, quantity, itemNumbers).minor + addonRevenue(its, currency, itemNumbers).minor
      if (fee === stretch.fee) continue
      drifts.push({
        ...{ entity: 'history', kind: 'differs', entityId: subscriptionId, providerId: null },
        differences: [{ field: `fee of stretch ${ordinal}`, here: `${stretch.fee}`, there: `${fee}` }],
        ...{ cause: 'unexplained', repair: null },
        reason: `In stretch ${ordinal} of its history it costs something else than ${plan.key}, its numbers and its add-ons bring: see the provider's invoices of that time.`,
      })
    }
  }
  return drifts
}
