import type { Instant } from '@lockstep/core/instant'
import { newId } from '../../ids.ts'
import { keepBehindChange } from '../../provider/stripe/scheduled-changes.ts'
import { putOffDue } from '../../store/due.ts'
import { markTold, openChanges, readPlanChange } from '../../store/plan-changes.ts'
import { readWorkflow } from '../../store/workflows.ts'
import type { DueKind } from '../due.ts'
import { type LookDeps, lookAt } from '../look.ts'
import { type ChangeInput, PLANNED_TERMS } from './input.ts'
import { replan } from './replan.ts'

const LAST_LOOK_SECONDS = 600

/** When what stands is looked at for the last time before a change that is planned for a moment. */
export const lastLook = (at: Instant): Instant => at - LAST_LOOK_SECONDS

/**
 * A change is planned, and its schedule names everything that is to be there then. What somebody changes at the provider since is
 * planned too: when it was heard of, and ten minutes before, whether or not it was. It is written down before it is told, so that
 * whoever dies between the two is followed by one who tells it.
 */
export const plannedTerms: DueKind = {
  kind: PLANNED_TERMS,
  async run(deps, due) {
    const { db } = deps
    const planned = await readPlanChange(db, due.subjectId)
    if (planned?.state !== 'scheduled' || planned.providerScheduleId === null) return 'nothing to do'
    const { subscriptionId, workflowId, providerScheduleId: scheduleId } = planned
    const workflow = await readWorkflow(db, workflowId)
    // A change that is on its way may be about to tell it anew.
    if (!workflow || (await openChanges(db, subscriptionId)).applying !== undefined) return null
    const input = workflow.input as ChangeInput
    const outcome = await tellAnew(deps, { ...planned, scheduleId }, input)
    const isOver = (await readPlanChange(db, planned.id))?.state !== 'scheduled'
    const last = lastLook(input.periodEnd)
    if (isOver || due.dueAt >= last) return outcome
    await putOffDue(db, due, last)
    return null
  },
}

/** Says what was done, in a few words. */
async function tellAnew(
  deps: LookDeps,
  { id, scheduleId }: { readonly id: string; readonly scheduleId: string },
  input: ChangeInput,
): Promise<string> {
  await lookAt(deps, { type: 'subscription', id: input.subscription.providerId })
  // Whose schedule it was may have planned something else in it.
  await lookAt(deps, { type: 'subscription_schedule', id: scheduleId })
  const toTell = await replan(deps, id, input)
  if (typeof toTell === 'string') return toTell
  const change = { ...toTell.change, operation: `${id}/keep/${newId('operation')}` }
  const outcome = await keepBehindChange(deps, change, scheduleId)
  if (outcome !== 'not ours') await markTold(deps.db, id, toTell.terms)
  return outcome
}
