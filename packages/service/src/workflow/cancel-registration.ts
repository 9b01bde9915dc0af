import { Problem } from '@lockstep/core/problem'
import type { Db } from '../postgres/connect.ts'
import type { Registration } from '../store/registrations.ts'
import { readWorkflow, withdrawWorkflow } from '../store/workflows.ts'
import type { Workflows } from './workflows.ts'

/**
 * Gives a registration up. Whoever runs it turns back before the next step; one that stopped is taken up
 * and undone. Asked twice, it is canceled once. Refused where there is nothing to give up any more.
 */
export async function cancelRegistration(
  { db, workflows }: { readonly db: Db; readonly workflows: Workflows },
  { id, workflowId }: Pick<Registration, 'id' | 'workflowId'>,
): Promise<void> {
  const reason = new Problem('registration_canceled', `${id} was canceled on request.`)
  if (!(await withdrawWorkflow(db, workflowId, reason))) {
    const workflow = await readWorkflow(db, workflowId)
    const isOver = workflow?.state === 'completed' || workflow?.state === 'rolledBack'
    if (isOver && workflow.withdrawal === null)
      throw new Problem('registration_ended', `${id} is ${workflow.state}: there is nothing to give up.`)
  }
  void workflows.resume(workflowId)
}
