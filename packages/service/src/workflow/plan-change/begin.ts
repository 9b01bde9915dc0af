import { isDeepStrictEqual } from 'node:util'
import { areSameAddons } from '@lockstep/core/addon'
import type { Instant } from '@lockstep/core/instant'
import { areSameNumbers } from '@lockstep/core/item-numbers'
import { Problem } from '@lockstep/core/problem'
import { acceptor, recordAcceptance } from '../../contract/acceptance.ts'
import { newId } from '../../ids.ts'
import type { Trx } from '../../postgres/connect.ts'
import { inOnePacket } from '../../postgres/packet.ts'
import { newHolder } from '../../postgres/presence.ts'
import { transaction } from '../../postgres/transaction.ts'
import { attachedOf } from '../../store/addons.ts'
import type { Arrival, Came } from '../../store/coming.ts'
import { addPlanChange, arriveAtChange, findTwinChanges, openChanges } from '../../store/plan-changes.ts'
import { deedUnderWay } from '../../store/subscription-deeds.ts'
import { readSubscription, type Subscription } from '../../store/subscriptions.ts'
import { addWorkflow, type Written } from '../../store/workflows.ts'
import { isChanging } from '../deeds/deed.ts'
import { type LookDeps, lookAt } from '../look.ts'
import { stoodAs } from './changed-meanwhile.ts'
import { type Decision, decideChange } from './decide.ts'
import { CHANGE_PLAN, type ChangeInput } from './input.ts'
import { hasOtherRhythm } from './scheduled.ts'
import { lookAtBoth } from './standing.ts'
import { type ChangeAsked, type ChangeWish, hashOfWish, namesCoupons } from './wish.ts'

/** `written` is there for whoever has to run it: absent, it runs already or has ended. */
export interface BegunChange {
  readonly changeId: string
  readonly workflowId: string
  readonly written?: Written
}

/** What was decided is not what would be decided now: somebody was faster. */
class Moved extends Error {}

const MOST_TRIES = 5

/** Holds what was decided against what a caller was shown; throws where they differ. */
export type Confirm = (decision: Decision) => Promise<void>

export interface BeginOptions {
  /** If it was read before; see {@link arrive}. */
  readonly arrived?: Arrived | undefined
  readonly prorationDate?: Instant | undefined
  readonly confirm?: Confirm | undefined
}

/** A request for a change as it came, with the subscription as it was then. */
export interface Arrived {
  readonly arrivedAt: Arrival
  readonly came: Came | undefined
  /** What was made before under the request's own name. */
  readonly known: { readonly id: string; readonly workflowId: string } | undefined
  readonly subscription: Subscription | undefined
}

export async function arrive(
  { db }: LookDeps,
  subscriptionId: string,
  operation: string,
  came?: Came,
): Promise<Arrived> {
  const [arrival, subscription] = await inOnePacket(db, (db) =>
    Promise.all([arriveAtChange(db, operation, came), readSubscription(db, subscriptionId)]),
  )
  return { ...arrival, came, subscription }
}

/**
 * Records a wish as a change and the workflow that carries it out, in one transaction. Asked twice at the
 * same time in the same words, it is one change; in other words, the second is told to wait.
 */
export async function beginChange(
  deps: LookDeps,
  subscriptionId: string,
  wish: ChangeWish,
  asked: ChangeAsked,
  { arrived, prorationDate, confirm }: BeginOptions = {},
): Promise<BegunChange> {
  const { db } = deps
  const { arrivedAt, came, known, subscription } =
    arrived ?? (await arrive(deps, subscriptionId, asked.operation))
  if (known) return { changeId: known.id, workflowId: known.workflowId }
  const requestHash = hashOfWish(wish)
  const twin = async () => {
    const twins = await findTwinChanges(db, { subscriptionId, requestHash, arrivedAt })
    return twins.find(({ id }) => !came?.knew(id))
  }
  let isShown = confirm !== undefined
  for (let tries = 1; ; tries += 1) {
    try {
      const { mayGivePlans } = asked
      const looked = await lookFirst(deps, subscription, { isShown, wish })
      const asRead = tries === 1 && !looked ? subscription : undefined
      const decision = await decideChange(deps, subscriptionId, wish, {
        ...{ mayGivePlans, prorationDate, asRead },
      })
      await confirm?.(decision)
      return await transaction(db, (trx) => record(deps, trx, decision, wish, asked, requestHash))
    } catch (error) {
      // Somebody was faster, perhaps the other half of a double click.
      const joined = error instanceof Problem || error instanceof Moved ? await twin() : undefined
      if (joined) return { changeId: joined.id, workflowId: joined.workflowId }
      // It may be made of how the subscription stood before somebody changed it at the provider.
      const mayBeOld = !isShown && error instanceof Problem && error.code === 'provider_refused'
      isShown ||= mayBeOld
      if (!(mayBeOld || error instanceof Moved) || tries === MOST_TRIES) throw error
    }
  }
}

/**
 * What was shown is held against how things stand at the provider, whether or not we heard of it. All discounts are told
 * together: one that the provider was given a moment ago is not to be among the missing.
 */
async function lookFirst(
  deps: LookDeps,
  subscription: Subscription | undefined,
  { isShown, wish }: { readonly isShown: boolean; readonly wish: ChangeWish },
): Promise<boolean> {
  if (!subscription || subscription.providerId === null) return false
  const { providerId, customerId } = subscription
  if (isShown) await lookAtBoth(deps, { providerId, customerId })
  else if (namesCoupons(wish)) await lookAt(deps, { type: 'subscription', id: providerId })
  else return false
  return true
}

async function record(
  { clock }: LookDeps,
  trx: Trx,
  decision: Decision,
  wish: ChangeWish,
  asked: ChangeAsked,
  requestHash: string,
): Promise<BegunChange> {
  const { subscription, customer, from, to, quantity, coupons, withoutCoupons, scheduled } = decision
  const accepting = decision.isNewTerms ? acceptor(trx, customer.id) : undefined
  await Promise.all([refuseIfMoved(trx, decision), accepting])
  const at = clock.now()
  const changeId = newId('plan_change')
  const workflow = { id: newId('workflow'), holder: newHolder() }
  const contractId = newId('contract')
  const input: ChangeInput = {
    changeId,
    customer: { id: customer.id, providerId: customer.providerId },
    subscription: { id: subscription.id, providerId: subscription.providerId },
    planVersionId: to.id,
    stood: stoodAs(subscription, decision.standing),
    deed: deedOf(decision),
    startsPeriod: decision.startsPeriod,
    items: decision.items,
    wanted: decision.wanted,
    discounts: decision.discounts && true,
    agreedBefore: decision.agreedBefore,
    trialEnd: decision.trialEnd,
    prorationDate: decision.prorationDate,
    credits: decision.credits && {
      minor: `${decision.credits.amount.minor}`,
      currency: decision.credits.amount.currency,
      end: decision.credits.end,
    },
    periodEnd: decision.standing.period.end,
    rhythm: {
      interval: to.plan.interval,
      intervalCount: to.plan.intervalCount,
      isNew: hasOtherRhythm(from.plan, to.plan),
    },
    withdraws: scheduled?.providerScheduleId ?? null,
    leftSchedule: decision.leftSchedule,
    paymentMethod: wish.paymentMethod ?? null,
    paymentPage: decision.needsPaymentPage ? (wish.paymentPage ?? null) : null,
    formerMethod: decision.standing.paymentMethod,
    profile: { email: wish.email, name: wish.name },
  }
  const begun = addWorkflow(trx, { ...workflow, kind: CHANGE_PLAN, subjectId: changeId, input, at })
  const added = addPlanChange(trx, {
    id: changeId,
    customerId: customer.id,
    subscriptionId: subscription.id,
    workflowId: workflow.id,
    operation: asked.operation,
    requestHash,
    fromPlanVersionId: from.id,
    fromQuantity: subscription.quantity,
    fromAddons: subscription.addons,
    fromItemNumbers: subscription.itemNumbers,
    planVersionId: to.id,
    quantity,
    addons: decision.addons.map(attachedOf),
    itemNumbers: decision.itemNumbers,
    coupons,
    withoutCoupons,
    direction: decision.direction,
    takesEffect: decision.takesEffect,
    contractId,
    requestedBy: asked.requestedBy,
    requestOrigin: asked.requestOrigin,
    at,
  })
  const acceptance = { ...asked.accepted, contractId, customerId: customer.id, acceptedAt: decision.at }
  const accepted = accepting && recordAcceptance(trx, acceptance, await accepting)
  const [written] = await Promise.all([begun, added, accepted])
  return { changeId, workflowId: workflow.id, written }
}

function deedOf({ isNewTerms, takesEffect }: Decision): ChangeInput['deed'] {
  if (!isNewTerms) return 'none'
  return takesEffect === 'now' ? 'change' : 'schedule'
}

/** One change at a time, and made of what still is so: whoever comes second waits for the row. */
async function refuseIfMoved(trx: Trx, { subscription, scheduled, discounts }: Decision): Promise<void> {
  // The row is locked before the others are read.
  const [now, open, deed] = await Promise.all([
    trx
      .selectFrom('subscription')
      .select(['planVersionId', 'quantity', 'addons', 'status', 'cancelAt', 'currentPeriodEnd', 'trialEnd'])
      .select(['discounts', 'itemNumbers'])
      .where('id', '=', subscription.id)
      .forUpdate()
      .executeTakeFirstOrThrow(),
    openChanges(trx, subscription.id),
    deedUnderWay(trx, subscription.id),
  ])
  if (open.applying !== undefined) {
    const detail = `${open.applying} of this subscription has not ended.`
    throw new Problem('plan_change_in_progress', detail, { retryAfterSeconds: 2 })
  }
  if (deed) throw isChanging()
  const isSame =
    now.planVersionId === subscription.planVersionId &&
    now.quantity === subscription.quantity &&
    areSameAddons(now.addons, subscription.addons) &&
    areSameNumbers(now.itemNumbers, subscription.itemNumbers) &&
    now.status === subscription.status &&
    now.cancelAt === subscription.cancelAt &&
    now.currentPeriodEnd === subscription.currentPeriodEnd &&
    now.trialEnd === subscription.trialEnd &&
    (discounts === null || isDeepStrictEqual(now.discounts, subscription.discounts)) &&
    (scheduled === undefined || open.scheduled === scheduled.id)
  if (!isSame) throw new Moved()
}
