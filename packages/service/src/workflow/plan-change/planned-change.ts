import { transaction } from '../../postgres/transaction.ts'
import { fetchSchedule, releaseSchedule } from '../../provider/stripe/schedules.ts'
import {
  openChanges,
  type PlanChange,
  readPlanChange,
  readScheduledChange,
} from '../../store/plan-changes.ts'
import { lockSubscription, readSubscription } from '../../store/subscriptions.ts'
import type { DueKind } from '../due.ts'
import { type LookDeps, lookAt, type ObjectToLookAt } from '../look.ts'
import { customerTime } from '../observe/customer-time.ts'
import { PLANNED_CHANGE } from './input.ts'
import { makeEffective } from './take-effect.ts'

/**
 * The period is over for whose end a change was planned. The provider makes it by itself and tells by an
 * event; here it is looked at too, so that it takes effect even if nobody told us. Then the schedule lets
 * go of the subscription, which can be changed again. So it does where somebody made the change at the provider before.
 */
export const plannedChange: DueKind = {
  kind: PLANNED_CHANGE,
  async run(deps, { subjectId }) {
    const planned = await readPlanChange(deps.db, subjectId)
    if (planned?.state !== 'scheduled' && planned?.state !== 'effective') return 'nothing to do'
    const { subscriptionId, providerScheduleId: scheduleId } = planned
    const provider = await deps.db
      .selectFrom('mapping')
      .select('providerId')
      .where('entityType', '=', 'subscription')
      .where('entityId', '=', subscriptionId)
      .executeTakeFirstOrThrow()
    const target = { type: 'subscription', id: provider.providerId } as const
    const hasTakenEffect = async () => (await readPlanChange(deps.db, subjectId))?.state === 'effective'
    if (planned.state === 'scheduled') await lookAt(deps, target)
    const isEffective =
      (await hasTakenEffect()) || (planned.origin === 'here' && (await cameOtherwise(deps, planned, target)))
    if (!isEffective && planned.origin === 'provider' && scheduleId !== null) {
      // Whose schedule it is may have planned something else meanwhile: what comes of it is told, and not waited for.
      await lookAt(deps, { type: 'subscription_schedule', id: scheduleId })
      return 'looked at'
    }
    // The provider has not turned the page yet.
    if (!isEffective) return null
    // Somebody else's schedule is theirs to let go.
    if (scheduleId === null || planned.origin === 'provider') return 'effective'
    // A change that is on its way may be about to tell it anew.
    const { applying } = await openChanges(deps.db, subscriptionId)
    if (applying !== undefined) return null
    // Nor is one let go in which somebody planned something else meanwhile, there or here.
    await lookAt(deps, { type: 'subscription_schedule', id: scheduleId })
    const next = await readScheduledChange(deps.db, subscriptionId)
    const isUnread = (await readSubscription(deps.db, subscriptionId))?.unreadSchedule != null
    if (isUnread || next?.providerScheduleId === scheduleId) return 'effective'
    await releaseSchedule(deps, `${subjectId}/release`, { subscriptionId, scheduleId })
    await lookAt(deps, target)
    return 'effective'
  },
}

/**
 * Its phase has begun, and what stands there is something else: somebody changed it in that moment. It is what came of it.
 * The schedule is asked first, so that the subscription is seen as it was made by it.
 */
async function cameOtherwise(
  deps: LookDeps,
  { id, subscriptionId, dueAt, providerScheduleId: scheduleId }: PlanChange,
  target: ObjectToLookAt,
): Promise<boolean> {
  if (scheduleId === null || dueAt === null) return false
  const { current_phase: phase } = await fetchSchedule(deps, scheduleId)
  if (phase === null || phase.start_date < dueAt) return false
  await lookAt(deps, target)
  return transaction(deps.db, async (trx) => {
    const subscription = await lockSubscription(trx, subscriptionId)
    const change = await readPlanChange(trx, id)
    if (!subscription || !change) throw new Error(`${subscriptionId} or ${id} is not there.`)
    if (change.state === 'scheduled') {
      const at = await customerTime(trx, deps.clock, subscription.customerId)
      await makeEffective(trx, { change, before: subscription, after: subscription }, at)
    }
    return change.state === 'scheduled' || change.state === 'effective'
  })
}
