import type { Instant } from '@lockstep/core/instant'
import { newId } from '../../ids.ts'
import { keepBehindChange } from '../../provider/stripe/scheduled-changes.ts'
import { putOffDue } from '../../store/due.ts'
import { openChanges, readPlanChange } from '../../store/plan-changes.ts'
import { readWorkflow } from '../../store/workflows.ts'
import type { DueKind } from '../due.ts'
import { lookAt } from '../look.ts'
import { type ChangeInput, PLANNED_TERMS } from './input.ts'
import { scheduled } from './scheduled.ts'

const LAST_LOOK_SECONDS = 600

/** When what stands is looked at for the last time before a change that is planned for a moment. */
export const lastLook = (at: Instant): Instant => at - LAST_LOOK_SECONDS

/**
 * A change is planned, and its schedule names all discounts and tax rates that are to be there then. What somebody gave or
 * took at the provider since is told too: when it was heard of, and ten minutes before, whether or not it was.
 */
export const plannedTerms: DueKind = {
  kind: PLANNED_TERMS,
  async run(deps, due) {
    const { db } = deps
    const planned = await readPlanChange(db, due.subjectId)
    if (planned?.state !== 'scheduled' || planned.providerScheduleId === null) return 'nothing to do'
    const { subscriptionId, workflowId, providerScheduleId: scheduleId } = planned
    // A change that is on its way may be about to tell it anew.
    if ((await openChanges(db, subscriptionId)).applying !== undefined) return null
    // Whose schedule it was may have planned something else in it.
    await lookAt(deps, { type: 'subscription_schedule', id: scheduleId })
    const workflow = await readWorkflow(db, workflowId)
    if (!workflow || (await openChanges(db, subscriptionId)).scheduled !== planned.id) return 'nothing to do'
    const input = workflow.input as ChangeInput
    const change = scheduled(input, `${planned.id}/keep/${newId('operation')}`)
    const isTold = await keepBehindChange(deps, change, scheduleId)
    const last = lastLook(input.periodEnd)
    if (due.dueAt >= last) return isTold ? 'told anew' : 'as it stands'
    await putOffDue(db, due, last)
    return null
  },
}
