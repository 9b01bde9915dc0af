import { setTimeout as pause } from 'node:timers/promises'
import { Problem } from '@lockstep/core/problem'
import type { Db } from '../postgres/connect.ts'
import type { Registration } from '../store/registrations.ts'
import { readWorkflow, type Workflow, withdrawWorkflow } from '../store/workflows.ts'
import type { RequiredAction } from './registration-record.ts'
import type { Workflows } from './workflows.ts'

/**
 * Gives a registration up, and waits so many seconds for it to be undone. Whoever runs it turns back before
 * the next step; one that stopped is taken up and undone. Asked twice, it is canceled once. Refused where
 * there is nothing to give up any more, also if its last step was faster, or the customer: where the bank asks,
 * it may have been paid, so it is looked at before. A page is not: whatever was left there buys nothing then.
 * Answers how it stands then.
 */
export async function cancelRegistration(
  { db, workflows }: { readonly db: Db; readonly workflows: Workflows },
  { id, workflowId }: Pick<Registration, 'id' | 'workflowId'>,
  seconds: number,
): Promise<Workflow['state']> {
  const reason = new Problem('registration_canceled', `${id} was canceled on request.`)
  const waitsFor = (await readWorkflow(db, workflowId))?.action as RequiredAction | null | undefined
  if (waitsFor?.type === 'confirmPayment')
    await Promise.race([workflows.resume(workflowId), pause(seconds * 1000, undefined, { ref: false })])
  const isNews = await withdrawWorkflow(db, workflowId, reason)
  const before = isNews ? undefined : await readWorkflow(db, workflowId)
  if (before?.state === 'rolledBack' && before.withdrawal === null) throw ended(id, before.state)
  void workflows.resume(workflowId)
  const { state } = await workflows.settled(workflowId, seconds)
  if (state === 'completed') throw ended(id, state)
  return state
}

function ended(id: string, state: string): Problem {
  return new Problem('registration_ended', `${id} is ${state}: there is nothing to give up.`)
}
