import * as api from '@lockstep/api/registrations'
import { pageOf } from '../../store/page.ts'
import { listRegistrations } from '../../store/registrations.ts'
import { cancelRegistration } from '../../workflow/cancel-registration.ts'
import { PATIENCE_SECONDS } from '../../workflow/workflows.ts'
import { holds } from '../caller.ts'
import { type App, route } from '../route.ts'
import { existingRegistration, type RegistrationParts, register, settledRegistration } from './register.ts'
import { registrationToApi } from './registration-to-api.ts'

/** The confirmation of a contract, from request to running subscription. */
export function registrationRoutes(app: App, parts: RegistrationParts): void {
  const { db, workflows } = parts

  route(
    app,
    api.createRegistration,
  )(async ({ body, operation, coming, caller }) => {
    const mayGivePlans = holds(caller, 'operations:write')
    const asked = { operation, coming, requestedBy: caller.id, mayGivePlans }
    const registration = await register(parts, body, asked)
    const shown = registrationToApi(registration)
    return registration.state === 'completed' ? { status: 201, body: shown } : { status: 202, body: shown }
  })

  route(
    app,
    api.readRegistration,
  )(async ({ params, coming }) => {
    const registration = await existingRegistration(db, params.id)
    if (registration.endedAt !== null) coming.tells(registration.id)
    return { status: 200, body: registrationToApi(registration) }
  })

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
    const { workflowId } = await existingRegistration(db, params.id)
    void workflows.resume(workflowId)
    const registration = await settledRegistration(parts, params.id)
    const shown = registrationToApi(registration)
    return registration.endedAt === null ? { status: 202, body: shown } : { status: 200, body: shown }
  })

  route(
    app,
    api.cancelRegistration,
  )(async ({ params }) => {
    await cancelRegistration(parts, await existingRegistration(db, params.id), PATIENCE_SECONDS)
    const registration = await existingRegistration(db, params.id)
    const shown = registrationToApi(registration)
    return registration.endedAt === null ? { status: 202, body: shown } : { status: 200, body: shown }
  })
}
