import * as api from '@lockstep/api/registrations'
import { Problem } from '@lockstep/core/problem'
import type { Db } from '../../postgres/connect.ts'
import { pageOf } from '../../store/page.ts'
import { listRegistrations, type RegistrationWithSteps, readRegistration } from '../../store/registrations.ts'
import { problemOf } from '../../store/workflows.ts'
import { beginRegistration } from '../../workflow/begin-registration.ts'
import { cancelRegistration } from '../../workflow/cancel-registration.ts'
import type { RegisterDeps } from '../../workflow/register.ts'
import type { Workflows } from '../../workflow/workflows.ts'
import { holds } from '../caller.ts'
import { type App, route } from '../route.ts'
import { registrationToApi } from './registration-to-api.ts'

/** A person waits this long; the registration goes on by itself afterwards. */
const PATIENCE_SECONDS = 20

interface RegistrationParts extends RegisterDeps {
  readonly workflows: Workflows
}

/** The confirmation of a contract, from request to running subscription. */
export function registrationRoutes(app: App, parts: RegistrationParts): void {
  const { db, workflows } = parts

  route(
    app,
    api.createRegistration,
  )(async ({ body, operation, caller }) => {
    const mayGivePlans = holds(caller, 'operations:write')
    const { registrationId, workflow } = await beginRegistration(parts, body, { operation, mayGivePlans })
    if (workflow) workflows.begin(workflow.id, workflow.holder)
    const registration = await settled(parts, registrationId, workflow?.id)
    if (registration.state === 'rolledBack') throw refusalOf(registration)
    const shown = registrationToApi(registration)
    return registration.state === 'completed' ? { status: 201, body: shown } : { status: 202, body: shown }
  })

  route(
    app,
    api.readRegistration,
  )(async ({ params }) => ({
    status: 200,
    body: registrationToApi(await existing(db, params.id)),
  }))

  route(
    app,
    api.listRegistrations,
  )(async ({ query }) => {
    const page = await pageOf(query.limit, (limit) => listRegistrations(db, { ...query, limit }))
    return { status: 200, body: { ...page, data: page.data.map(registrationToApi) } }
  })

  route(
    app,
    api.resumeRegistration,
  )(async ({ params }) => {
    const { workflowId } = await existing(db, params.id)
    void workflows.resume(workflowId)
    const registration = await settled(parts, params.id)
    const shown = registrationToApi(registration)
    return registration.endedAt === null ? { status: 202, body: shown } : { status: 200, body: shown }
  })

  route(
    app,
    api.cancelRegistration,
  )(async ({ params }) => {
    await cancelRegistration(parts, await existing(db, params.id), PATIENCE_SECONDS)
    const registration = await existing(db, params.id)
    const shown = registrationToApi(registration)
    return registration.endedAt === null ? { status: 202, body: shown } : { status: 200, body: shown }
  })
}

async function settled(
  { db, workflows }: RegistrationParts,
  id: string,
  workflowId?: string,
): Promise<RegistrationWithSteps> {
  await workflows.settled(workflowId ?? (await existing(db, id)).workflowId, PATIENCE_SECONDS)
  return existing(db, id)
}

async function existing(db: Db, id: string): Promise<RegistrationWithSteps> {
  const registration = await readRegistration(db, id)
  if (!registration) throw new Problem('registration_not_found', `There is no registration ${id}.`)
  return registration
}

/** Which parts of a request the steps are about. */
const pointers: Readonly<Record<string, string>> = {
  'attach payment method': '#/paymentMethod',
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
