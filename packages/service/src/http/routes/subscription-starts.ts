import type { Body } from '@lockstep/api/define-route'
import * as api from '@lockstep/api/subscription-starts'
import { formatInstant } from '@lockstep/core/instant'
import { Problem } from '@lockstep/core/problem'
import { isLive } from '@lockstep/core/subscription'
import type { Config } from '../../config.ts'
import { attachedOf } from '../../store/addons.ts'
import { arrive, type RegistrationWithSteps, slotHolder } from '../../store/registrations.ts'
import { readSubscription, type Subscription } from '../../store/subscriptions.ts'
import { lookAt } from '../../workflow/look.ts'
import {
  previewStartAnew,
  type StartPreview,
  type StartPreviewDeps,
  whyStale,
} from '../../workflow/start-promise.ts'
import type { Asked, WantedRegistration } from '../../workflow/wanted-registration.ts'
import { holds } from '../caller.ts'
import { moneyToApi } from '../money-to-api.ts'
import { type App, route } from '../route.ts'
import { invoiceToApi } from './plan-change-to-api.ts'
import { type RegistrationParts, register } from './register.ts'
import { registrationToApi } from './registration-to-api.ts'
import { subscriptionToApi } from './subscriptions.ts'

/** Subscriptions that begin: given by an administrator, or begun anew after their end. */
export function subscriptionStartRoutes(
  app: App,
  parts: RegistrationParts & { readonly config: Pick<Config, 'secrets'> },
): void {
  const deps = { ...parts, secrets: parts.config.secrets }

  route(
    app,
    api.createSubscription,
  )(async ({ body, operation, coming, caller }) => {
    const asked = { operation, coming, requestedBy: caller.id, mayGivePlans: true }
    return begun(parts, await register(parts, body, asked))
  })

  route(
    app,
    api.previewReactivation,
  )(async ({ params, body, operation, caller }) => {
    const { over, wanted } = await wantedAnew(parts, params.id, body)
    const asked = { operation, mayGivePlans: holds(caller, 'subscriptions:admin') }
    return { status: 200, body: startPreviewToApi(await previewStartAnew(deps, over, wanted, asked)) }
  })

  route(
    app,
    api.reactivateSubscription,
  )(async ({ params, body: { preview, ...body }, operation, coming, caller }) => {
    const { over, wanted } = await wantedAnew(parts, params.id, body)
    const asked = { operation, mayGivePlans: holds(caller, 'subscriptions:admin') }
    const refusal = preview && (await notAsShown(deps, preview, over, wanted, asked))
    // Who has begun in that place was asked for the same and is joined, or refuses this: a registration knows.
    if (refusal && (await isOpen(parts, over.customerId, wanted.slot, operation))) throw refusal
    return begun(parts, await register(parts, wanted, { ...asked, coming, requestedBy: caller.id }))
  })
}

/** Why it would not begin as it was shown; undefined where it would. */
async function notAsShown(
  deps: StartPreviewDeps,
  preview: string,
  over: Pick<Subscription, 'id' | 'customerId'>,
  wanted: WantedRegistration,
  asked: Asked,
): Promise<Problem | undefined> {
  try {
    const now = await previewStartAnew(deps, over, wanted, asked)
    const why = whyStale(preview, now, deps.secrets)
    return why === undefined
      ? undefined
      : new Problem('preview_stale', why, { members: { preview: startPreviewToApi(now) } })
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
}

/** Whether nobody has begun in a place, nor this request before. */
async function isOpen({ db }: RegistrationParts, customerId: string, slot: string, operation: string) {
  const { arrivedAt, registrationId } = await arrive(db, operation)
  return registrationId === null && (await slotHolder(db, customerId, slot, arrivedAt)) === undefined
}

/** The registration that begins anew what is over: as it was, unless told otherwise. */
async function wantedAnew(parts: RegistrationParts, id: string, body: Body<typeof api.previewReactivation>) {
  let over = await readSubscription(parts.db, id)
  // It may have ended at the provider, and nobody told us yet.
  if (over?.providerId && isLive(over.status)) {
    await lookAt(parts, { type: 'subscription', id: over.providerId })
    over = await readSubscription(parts.db, id)
  }
  if (!over) throw new Problem('subscription_not_found', `There is no subscription ${id}.`)
  if (isLive(over.status)) throw new Problem('subscription_live', `${id} is ${over.status}.`)
  const { externalId, slot, planKey: plan, quantity } = over
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
  return { over, wanted }
}

function startPreviewToApi({ version, quantity, addons, ...preview }: StartPreview) {
  const { dueNow, trialEndsAt } = preview
  return {
    subscription: preview.subscription,
    to: { plan: version.plan.key, planVersion: version.version, quantity, addons: addons.map(attachedOf) },
    trialEndsAt: trialEndsAt === null ? null : formatInstant(trialEndsAt),
    dueNow: dueNow && invoiceToApi(dueNow),
    recurring: moneyToApi(preview.recurring),
    token: preview.token,
    expiresAt: formatInstant(preview.promise.expiresAt),
  }
}

async function begun({ db, clock }: RegistrationParts, registration: RegistrationWithSteps) {
  const subscription =
    registration.state === 'completed' ? await readSubscription(db, registration.subscriptionId) : undefined
  return subscription
    ? ({ status: 201, body: subscriptionToApi(subscription, clock.now()) } as const)
    : ({ status: 202, body: registrationToApi(registration) } as const)
}
