import { type AdvanceDeps, advanceClockKind } from './advance-clock.ts'
import { changeCustomerKind } from './change-customer.ts'
import { creditNoteKind } from './credit-note.ts'
import { cancelKind } from './deeds/cancel.ts'
import { pauseKind } from './deeds/pause.ts'
import { resumeKinds } from './deeds/resume.ts'
import { importKind } from './import/import-account.ts'
import type { WorkflowKind } from './journal.ts'
import { makeTestClockKind } from './make-test-clock.ts'
import { changePlanKind } from './plan-change/change-plan.ts'
import { publishKind } from './publish-catalog.ts'
import { refundKind } from './refund.ts'
import { registerKind } from './register.ts'

/** Everything that runs in recorded steps: the index of the workflows. */
export function workflowKinds(deps: AdvanceDeps): WorkflowKind[] {
  return [
    registerKind(deps),
    publishKind(deps),
    changeCustomerKind(deps),
    cancelKind(deps),
    pauseKind(deps),
    ...resumeKinds(deps),
    refundKind(deps),
    creditNoteKind(deps),
    changePlanKind(deps),
    makeTestClockKind(deps),
    advanceClockKind(deps),
    importKind(deps),
  ]
}
