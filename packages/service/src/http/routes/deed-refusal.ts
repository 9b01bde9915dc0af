import type { Problem } from '@lockstep/core/problem'
import type { Db } from '../../postgres/connect.ts'
import { problemOf, readWorkflow } from '../../store/workflows.ts'

/** Why a workflow that was refused was. */
export async function refusalOf(db: Db, workflowId: string): Promise<Problem> {
  const workflow = await readWorkflow(db, workflowId)
  const problem = problemOf(workflow?.problem) ?? problemOf(workflow?.refusal)
  if (!problem) throw new Error(`${workflowId} was refused for no recorded reason.`)
  return problem
}
