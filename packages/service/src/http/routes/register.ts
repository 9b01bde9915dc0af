import { Problem } from '@lockstep/core/problem'
import type { Db } from '../../postgres/connect.ts'
import { type RegistrationWithSteps, readRegistration } from '../../store/registrations.ts'
import { hasStopped, problemOf } from '../../store/workflows.ts'
import { beginRegistration } from '../../workflow/begin-registration.ts'
import type { RegisterDeps } from '../../workflow/register.ts'
import type { Asked, WantedRegistration } from '../../workflow/wanted-registration.ts'
import { PATIENCE_SECONDS, type Workflows } from '../../workflow/workflows.ts'
import type { Coming } from '../coming.ts'

export interface RegistrationParts extends RegisterDeps {
  readonly workflows: Workflows
}

/** Begins a registration and waits for it, however it was asked for; a refusal is thrown as it was met. */
export async function register(
  parts: RegistrationParts,
  wanted: WantedRegistration,
  { coming, ...asked }: Omit<Asked, 'came'> & { readonly coming: Coming },
): Promise<RegistrationWithSteps> {
  const { registrationId, workflow } = await beginRegistration(parts, wanted, { ...asked, came: coming })
  if (workflow) parts.workflows.beginAs(workflow.written)
  const registration = await settledRegistration(parts, registrationId, workflow?.id)
  if (registration.state === 'rolledBack') throw refusalOf(registration)
  if (registration.endedAt !== null) coming.tells(registration.id)
  return registration
}

export async function settledRegistration(
  { db, workflows }: RegistrationParts,
  id: string,
  workflowId?: string,
): Promise<RegistrationWithSteps> {
  return workflows.settledAs(
    workflowId ?? (await existingRegistration(db, id)).workflowId,
    PATIENCE_SECONDS,
    () => existingRegistration(db, id),
    ({ state }) => state !== 'failed' && hasStopped(state),
  )
}

export async function existingRegistration(db: Db, id: string): Promise<RegistrationWithSteps> {
  const registration = await readRegistration(db, id)
  if (!registration) throw new Problem('registration_not_found', `There is no registration ${id}.`)
  return registration
}

/** Which parts of a request the steps are about. */
const pointers: Readonly<Record<string, string>> = {
  'set default payment method': '#/paymentMethod',
}

function refusalOf({ id, stage, problem: stored }: RegistrationWithSteps): Problem {
  const problem = problemOf(stored)
  if (!problem) throw new Error(`${id} was undone for no recorded reason.`)
  const { code, detail } = problem
  const isPayment =
    code === 'card_declined' || code === 'payment_method_required' || code === 'payment_action_required'
  const pointer = isPayment ? '#/paymentMethod' : pointers[stage ?? '']
  const faults =
    problem.faults.length > 0 || pointer === undefined ? problem.faults : [{ pointer, code, detail }]
  return new Problem(code, `${detail} ${id} was undone at the step '${stage}'.`, { faults })
}
