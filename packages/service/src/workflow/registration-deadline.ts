import { Problem, type ProblemCode } from '@lockstep/core/problem'
import { readWorkflow, withdrawWorkflow } from '../store/workflows.ts'
import type { DueKind } from './due.ts'
import { CHANGE_PLAN } from './plan-change/input.ts'

/** The customer had this long for a page or the bank's question. Stripe itself gives up after 23 hours. */
export const PATIENCE_SECONDS = 22 * 3600

/** What a workflow is refused with whose customer did not come back. */
const abandoned: Readonly<Record<string, ProblemCode>> = { [CHANGE_PLAN]: 'plan_change_abandoned' }

/**
 * A registration or a change whose customer did not come back is undone: its page closes, nothing stays
 * half-bought. It is looked at first: the customer may have been in time, and who was to tell us of it was not.
 */
export const registrationDeadline: DueKind = {
  kind: 'registration-deadline',
  async run({ db, workflows }, { subjectId }) {
    if ((await readWorkflow(db, subjectId))?.state === 'requiresAction') await workflows.resume(subjectId)
    const workflow = await readWorkflow(db, subjectId)
    if (workflow?.endedAt !== null) return 'nothing to do'
    // It is being looked at this very moment, and waits again or ends.
    if (workflow.state !== 'requiresAction') return null
    const detail = 'The customer did not come back in time.'
    const code = abandoned[workflow.kind] ?? 'registration_abandoned'
    await withdrawWorkflow(db, subjectId, new Problem(code, detail))
    await workflows.resume(subjectId)
    return 'abandoned'
  },
}
