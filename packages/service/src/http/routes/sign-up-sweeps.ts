import * as api from '@lockstep/api/sign-up-sweeps'
import { inBackground } from '../../provider/stripe/limiter.ts'
import { findMissingSignUps, registerMissing, type SweepDeps } from '../../workflow/sweep-sign-ups.ts'
import { type App, route } from '../route.ts'

/** Customers whom nobody registered. */
export function signUpSweepRoutes(app: App, parts: SweepDeps): void {
  route(
    app,
    api.sweepSignUps,
  )(async ({ body: { dryRun } }) => {
    const sweep = () => (dryRun ? findMissingSignUps(parts) : registerMissing(parts))
    const { plan, customers } = await inBackground(sweep)
    const shown = customers.map(({ customerId, externalId, registrationId, reason }) => ({
      customer: customerId,
      externalId,
      registration: registrationId,
      reason,
    }))
    return { status: 200, body: { dryRun, plan, customers: shown } }
  })
}
