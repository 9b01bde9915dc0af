import * as api from '@lockstep/api/subscription-starts'
import { Problem } from '@lockstep/core/problem'
import { isLive } from '@lockstep/core/subscription'
import type { RegistrationWithSteps } from '../../store/registrations.ts'
import { readSubscription } from '../../store/subscriptions.ts'
import { lookAt } from '../../workflow/look.ts'
import { holds } from '../caller.ts'
import { type App, route } from '../route.ts'
import { type RegistrationParts, register } from './register.ts'
import { registrationToApi } from './registration-to-api.ts'
import { subscriptionToApi } from './subscriptions.ts'

/** Subscriptions that begin: given by an administrator, or begun anew after their end. */
export function subscriptionStartRoutes(app: App, parts: RegistrationParts): void {
  const { db } = parts

  route(
    app,
    api.createSubscription,
  )(async ({ body, operation, coming, caller }) => {
    const asked = { operation, coming, requestedBy: caller.id, mayGivePlans: true }
    return begun(parts, await register(parts, body, asked))
  })

  route(
    app,
    api.reactivateSubscription,
  )(async ({ params, body, operation, coming, caller }) => {
    let over = await readSubscription(db, params.id)
    // It may have ended at the provider, and nobody told us yet.
    if (over?.providerId && isLive(over.status)) {
      await lookAt(parts, { type: 'subscription', id: over.providerId })
      over = await readSubscription(db, params.id)
    }
    if (!over) throw new Problem('subscription_not_found', `There is no subscription ${params.id}.`)
    if (isLive(over.status)) throw new Problem('subscription_live', `${params.id} is ${over.status}.`)
    const { externalId, slot, planKey: plan, quantity } = over
    const mayGivePlans = holds(caller, 'subscriptions:admin')
    const wanted = {
      plan,
      quantity,
      addons: over.addons.map(({ addon, quantity: number }) => ({ addon, quantity: number })),
      ...body,
      externalId,
      slot: slot ?? 'default',
      requestOrigin: `reactivate/${over.id}`,
      ...(body.trial === undefined && { withoutTrial: true as const }),
    }
    const asked = { operation, coming, requestedBy: caller.id, mayGivePlans }
    return begun(parts, await register(parts, wanted, asked))
  })
}

async function begun({ db, clock }: RegistrationParts, registration: RegistrationWithSteps) {
  const subscription =
    registration.state === 'completed' ? await readSubscription(db, registration.subscriptionId) : undefined
  return subscription
    ? ({ status: 201, body: subscriptionToApi(subscription, clock.now()) } as const)
    : ({ status: 202, body: registrationToApi(registration) } as const)
}
