import type { Body } from '@lockstep/api/define-route'
import * as api from '@lockstep/api/plan-changes'
import { Problem } from '@lockstep/core/problem'
import { forbiddenProperties } from '@lockstep/core/subscription-properties'
import type { Config } from '../../config.ts'
import type { Db } from '../../postgres/connect.ts'
import { inOnePacket } from '../../postgres/packet.ts'
import { pageOf } from '../../store/page.ts'
import { listPlanChanges, type PlanChange, readPlanChange } from '../../store/plan-changes.ts'
import { readSubscription } from '../../store/subscriptions.ts'
import { hasStopped, problemOf } from '../../store/workflows.ts'
import type { LookDeps } from '../../workflow/look.ts'
import { arrive, type BegunChange, beginChange } from '../../workflow/plan-change/begin.ts'
import { cancelChange } from '../../workflow/plan-change/cancel.ts'
import { previewWish } from '../../workflow/plan-change/preview.ts'
import type { ChangeWish } from '../../workflow/plan-change/wish.ts'
import { PATIENCE_SECONDS, type Workflows } from '../../workflow/workflows.ts'
import { type Caller, holds } from '../caller.ts'
import { readInstantIfGiven } from '../read-instant.ts'
import { type App, route } from '../route.ts'
import { asShown } from './as-shown.ts'
import { planChangeToApi, previewToApi } from './plan-change-to-api.ts'
import { subscriptionToApi } from './subscriptions.ts'

interface PlanChangeParts extends LookDeps {
  readonly workflows: Workflows
  readonly config: Pick<Config, 'secrets'>
}

/** What a subscription runs on: previewed, changed, looked at, given up. */
export function planChangeRoutes(app: App, parts: PlanChangeParts): void {
  const { db, workflows } = parts
  const deps = { ...parts, secrets: parts.config.secrets }

  route(
    app,
    api.previewSubscriptionChange,
  )(async ({ params, body, caller }) => {
    refuseForbidden(params.id, await readSubscription(db, params.id), body, caller)
    const options = { mayGivePlans: isAdmin(caller) }
    return { status: 200, body: previewToApi(await previewWish(deps, params.id, wishOf(body), options)) }
  })

  route(
    app,
    api.changeSubscription,
  )(async ({ params, body, caller, operation, coming }) => {
    const arrived = await arrive(deps, params.id, operation, coming)
    refuseForbidden(params.id, arrived.subscription, body, caller)
    const { preview, requestOrigin = null, acceptance = {} } = body
    const wish = wishOf(body)
    const asked = {
      ...{ operation, requestOrigin, accepted: acceptance },
      requestedBy: caller.id,
      mayGivePlans: isAdmin(caller),
    }
    const options = preview === undefined ? {} : asShown(deps, params.id, wish, preview, asked)
    const begun = await beginChange(deps, params.id, wish, asked, { ...options, arrived })
    if (begun.written) workflows.beginAs(begun.written)
    const { change, subscription } = await ended(parts, begun, params.id)
    if (change.state === 'refused') throw refusalOf(change)
    if (change.state !== 'applying') coming.tells(change.id)
    const shown = {
      subscription: subscriptionToApi(subscription, parts.clock.now()),
      change: planChangeToApi(change),
    }
    return change.state === 'applying' ? { status: 202, body: shown } : { status: 200, body: shown }
  })

  route(
    app,
    api.listPlanChanges,
  )(async ({ params: { id: subscription }, query }) => {
    await refuseAbsent(db, subscription)
    const page = await pageOf(query.limit, (limit) => listPlanChanges(db, { ...query, subscription, limit }))
    return { status: 200, body: { ...page, data: page.data.map(planChangeToApi) } }
  })

  route(
    app,
    api.readPlanChange,
  )(async ({ params, coming }) => {
    const change = await existing(db, params.change, params.id)
    if (change.state !== 'applying') coming.tells(change.id)
    return { status: 200, body: planChangeToApi(change) }
  })

  route(
    app,
    api.resumePlanChange,
  )(async ({ params, caller }) => {
    const change = await existing(db, params.change, params.id)
    refuseParked(change, caller)
    void workflows.resume(change.workflowId, caller.kind === 'user' ? 'customer' : 'person')
    return stillOnItsWay(await settled(parts, params.change))
  })

  route(
    app,
    api.cancelPlanChange,
  )(async ({ params, caller, operation }) => {
    const change = await existing(db, params.change, params.id)
    refuseParked(change, caller)
    await cancelChange(parts, change, { requestedBy: caller.id, operation, seconds: PATIENCE_SECONDS })
    return stillOnItsWay(await existing(db, params.change))
  })
}

function stillOnItsWay(change: PlanChange) {
  const body = planChangeToApi(change)
  return change.state === 'applying' ? { status: 202 as const, body } : { status: 200 as const, body }
}

/** How a change and its subscription stand when it has ended or waits for somebody, or after a while. */
async function ended({ db, workflows }: PlanChangeParts, { changeId, workflowId }: BegunChange, id: string) {
  const read = async () => {
    const [change, subscription] = await inOnePacket(db, (db) =>
      Promise.all([readPlanChange(db, changeId), readSubscription(db, id)]),
    )
    if (!change || !subscription) throw new Error(`${changeId} or ${id} is not there any more.`)
    return { change, subscription }
  }
  return workflows.settledAs(workflowId, PATIENCE_SECONDS, read, ({ change }) =>
    hasStopped(change.workflowState),
  )
}

/** Whoever operates may set what follows the rules for everybody else. */
function isAdmin(caller: Caller): boolean {
  return holds(caller, 'subscriptions:admin')
}

/** What is put before a person is for whoever operates to look at, and not tried again by users. */
function refuseParked({ id, workflowState }: PlanChange, caller: Caller): void {
  if (caller.kind === 'user' && workflowState === 'parked')
    throw new Problem('forbidden', `${id} is parked. It takes a key with the scope subscriptions:write.`)
}

async function refuseAbsent(db: Db, id: string): Promise<void> {
  if (!(await readSubscription(db, id))) throw absent(id)
}

const absent = (id: string) => new Problem('subscription_not_found', `There is no subscription ${id}.`)

type ChangeBody = Body<typeof api.changeSubscription>

/** All that the caller may not change is named at once, and nothing is done. One that does not exist comes first. */
function refuseForbidden(id: string, subscription: unknown, body: Partial<ChangeBody>, caller: Caller): void {
  if (!subscription) throw absent(id)
  const faults = forbiddenProperties(body, { isAdmin: isAdmin(caller) })
  if (faults.length > 0) {
    const names = faults.map(({ pointer }) => pointer.slice(2)).join(', ')
    throw new Problem('system_property_read_only', `Not the caller’s to change: ${names}.`, { faults })
  }
  const { preview: _, requestOrigin: _origin, acceptance: _acceptance, ...properties } = body
  if (Object.values(properties).every((value) => value === undefined))
    throw new Problem('empty_change', 'The request names nothing to be changed.')
}

function wishOf(body: Omit<ChangeBody, 'preview'>): ChangeWish {
  const { plan, quantity, addons, coupons, withoutCoupons, trial, trialEnd, when } = body
  const { paymentMethod, paymentPage, email, name } = body
  return {
    ...{ plan, quantity, addons, coupons, withoutCoupons, trial, when, paymentMethod, email, name },
    trialEnd: readInstantIfGiven(trialEnd),
    paymentPage: paymentPage && {
      returnUrl: paymentPage.returnUrl,
      cancelUrl: paymentPage.cancelUrl ?? null,
    },
  }
}

async function settled({ db, workflows }: PlanChangeParts, id: string): Promise<PlanChange> {
  await workflows.settled((await existing(db, id)).workflowId, PATIENCE_SECONDS)
  return existing(db, id)
}

/** A change is one of its subscription's: under another's address it does not exist. */
async function existing(db: Db, id: string, subscription?: string): Promise<PlanChange> {
  const change = await readPlanChange(db, id)
  if (!change || (subscription ?? change.subscriptionId) !== change.subscriptionId)
    throw new Problem('plan_change_not_found', `There is no plan change ${id}.`)
  return change
}

function refusalOf({ id, problem: stored }: PlanChange): Problem {
  const problem = problemOf(stored)
  if (!problem) throw new Error(`${id} was undone for no recorded reason.`)
  const { code, detail, faults } = problem
  const isPayment = code === 'card_declined' || code === 'payment_method_required'
  const pointed = isPayment ? [{ pointer: '#/paymentMethod', code, detail }] : []
  return new Problem(code, `${detail} Nothing was changed (${id}).`, {
    faults: faults.length > 0 ? faults : pointed,
  })
}
