import { Problem } from '@lockstep/core/problem'
import { arriveAtChange, type PlanChange } from '../../store/plan-changes.ts'
import { readWorkflow, withdrawWorkflow } from '../../store/workflows.ts'
import type { LookDeps } from '../look.ts'
import type { Workflows } from '../workflows.ts'
import { beginChange } from './begin.ts'

interface Canceling {
  readonly requestedBy: string
  readonly operation: string
  /** To wait for it to be undone. */
  readonly seconds: number
}

/**
 * Gives up a change that has not taken effect: a scheduled one does not come, by a change of its own that
 * the record shows; one that is on its way turns back before its next step.
 */
export async function cancelChange(
  deps: LookDeps & { readonly workflows: Workflows },
  { id, state, subscriptionId, workflowId }: PlanChange,
  { requestedBy, operation, seconds }: Canceling,
): Promise<void> {
  const { db, workflows } = deps
  // Asked of a process that died before it could answer.
  const { known } = await arriveAtChange(db, operation)
  if (known) {
    await workflows.settled(known.workflowId, seconds)
    return
  }
  if (state === 'scheduled') {
    const asked = { operation, requestedBy, requestOrigin: null, accepted: {}, mayGivePlans: false }
    const begun = await beginChange(deps, subscriptionId, { withdraw: true }, asked)
    if (begun.written) workflows.beginAs(begun.written)
    await workflows.settled(begun.workflowId, seconds)
    return
  }
  const reason = new Problem('plan_change_canceled', `${id} was given up on request.`)
  const isNews = state === 'applying' && (await withdrawWorkflow(db, workflowId, reason))
  // Given up on request is given up, however often that is asked.
  if (state === 'refused' && (await readWorkflow(db, workflowId))?.withdrawal) return
  if (state !== 'applying' && !isNews)
    throw new Problem('plan_change_ended', `${id} is ${state}: there is nothing to give up.`)
  void workflows.resume(workflowId)
  const settled = await workflows.settled(workflowId, seconds)
  if (settled.state === 'completed')
    throw new Problem('plan_change_ended', `${id} was faster: it has taken effect.`)
}
