import type { Instant } from '@lockstep/core/instant'
import { Problem } from '@lockstep/core/problem'
import { recordAcceptance } from '../../contract/acceptance.ts'
import { newId } from '../../ids.ts'
import type { Trx } from '../../postgres/connect.ts'
import { newHolder } from '../../postgres/presence.ts'
import { transaction } from '../../postgres/transaction.ts'
import {
  addPlanChange,
  arrivalTime,
  findTwinChange,
  planChangeOf,
  readApplying,
  readScheduledChange,
} from '../../store/plan-changes.ts'
import { deedUnderWay } from '../../store/subscription-deeds.ts'
import { addWorkflow } from '../../store/workflows.ts'
import { isChanging } from '../deeds/deed.ts'
import type { LookDeps } from '../look.ts'
import { type Decision, decideChange } from './decide.ts'
import { CHANGE_PLAN, type ChangeInput } from './input.ts'
import { type ChangeAsked, type ChangeWish, hashOfWish } from './wish.ts'

/** `holder` is there for whoever has to run it: absent, it runs already or has ended. */
export interface BegunChange {
  readonly changeId: string
  readonly workflow?: { readonly id: string; readonly holder: string }
}

/** What was decided is not what would be decided now: somebody was faster. */
class Moved extends Error {}

const MOST_TRIES = 5

/** Holds what was decided against what a caller was shown; throws where they differ. */
export type Confirm = (decision: Decision) => Promise<void>

export interface BeginOptions {
  readonly prorationDate?: Instant | undefined
  readonly confirm?: Confirm | undefined
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
  { prorationDate, confirm = async () => {} }: BeginOptions = {},
): Promise<BegunChange> {
  const { db } = deps
  const arrivedAt = await arrivalTime(db)
  const known = await planChangeOf(db, asked.operation)
  if (known) return { changeId: known.id }
  const requestHash = hashOfWish(wish)
  const twin = () => findTwinChange(db, { subscriptionId, requestHash, arrivedAt })
  for (let tries = 1; ; tries += 1) {
    try {
      const { mayGivePlans } = asked
      const decision = await decideChange(deps, subscriptionId, wish, { mayGivePlans, prorationDate })
      await confirm(decision)
      return await transaction(db, (trx) => record(deps, trx, decision, wish, asked, requestHash))
    } catch (error) {
      // Somebody was faster, perhaps the other half of a double click.
      const joined = error instanceof Problem || error instanceof Moved ? await twin() : undefined
      if (joined !== undefined) return { changeId: joined }
      if (!(error instanceof Moved) || tries === MOST_TRIES) throw error
    }
  }
}

async function record(
  { clock }: LookDeps,
  trx: Trx,
  decision: Decision,
  wish: ChangeWish,
  asked: ChangeAsked,
  requestHash: string,
): Promise<BegunChange> {
  const { subscription, customer, from, to, quantity, coupons, scheduled } = decision
  await refuseIfMoved(trx, decision)
  const at = clock.now()
  const changeId = newId('plan_change')
  const workflow = { id: newId('workflow'), holder: newHolder() }
  const contractId = newId('contract')
  const input: ChangeInput = {
    changeId,
    customer: { id: customer.id, providerId: customer.providerId },
    subscription: { id: subscription.id, providerId: subscription.providerId },
    planVersionId: to.id,
    deed: deedOf(decision),
    startsPeriod: decision.startsPeriod,
    items: decision.items,
    wanted: decision.wanted,
    discounts: decision.discounts,
    trialEnd: decision.trialEnd,
    prorationDate: decision.prorationDate,
    periodEnd: decision.standing.period.end,
    rhythm: {
      interval: to.plan.interval,
      intervalCount: to.plan.intervalCount,
      isNew: to.plan.interval !== from.plan.interval || to.plan.intervalCount !== from.plan.intervalCount,
    },
    withdraws: scheduled?.providerScheduleId ?? null,
    paymentMethod: wish.paymentMethod ?? null,
    paymentPage: decision.needsPaymentPage ? (wish.paymentPage ?? null) : null,
    formerMethod: decision.standing.paymentMethod,
    profile: { email: wish.email, name: wish.name },
  }
  await addWorkflow(trx, { ...workflow, kind: CHANGE_PLAN, subjectId: changeId, input, at })
  await addPlanChange(trx, {
    id: changeId,
    customerId: customer.id,
    subscriptionId: subscription.id,
    workflowId: workflow.id,
    operation: asked.operation,
    requestHash,
    fromPlanVersionId: from.id,
    fromQuantity: subscription.quantity,
    planVersionId: to.id,
    quantity,
    coupons,
    direction: decision.direction,
    takesEffect: decision.takesEffect,
    contractId,
    requestedBy: asked.requestedBy,
    requestOrigin: asked.requestOrigin,
    at,
  })
  if (decision.isNewTerms)
    await recordAcceptance(trx, {
      ...asked.accepted,
      contractId,
      customerId: customer.id,
      acceptedAt: decision.at,
    })
  return { changeId, workflow }
}

function deedOf({ isNewTerms, takesEffect }: Decision): ChangeInput['deed'] {
  if (!isNewTerms) return 'none'
  return takesEffect === 'now' ? 'change' : 'schedule'
}

/** One change at a time, and made of what still is so: whoever comes second waits for the row. */
async function refuseIfMoved(trx: Trx, { subscription, scheduled }: Decision): Promise<void> {
  const now = await trx
    .selectFrom('subscription')
    .select(['planVersionId', 'quantity', 'status', 'cancelAt', 'currentPeriodEnd', 'trialEnd'])
    .where('id', '=', subscription.id)
    .forUpdate()
    .executeTakeFirstOrThrow()
  const applying = await readApplying(trx, subscription.id)
  if (applying) {
    const detail = `${applying.id} of this subscription has not ended.`
    throw new Problem('plan_change_in_progress', detail, { retryAfterSeconds: 2 })
  }
  if (await deedUnderWay(trx, subscription.id)) throw isChanging()
  const planned = await readScheduledChange(trx, subscription.id)
  const isSame =
    now.planVersionId === subscription.planVersionId &&
    now.quantity === subscription.quantity &&
    now.status === subscription.status &&
    now.cancelAt === subscription.cancelAt &&
    now.currentPeriodEnd === subscription.currentPeriodEnd &&
    now.trialEnd === subscription.trialEnd &&
    (scheduled === undefined || planned?.id === scheduled.id)
  if (!isSame) throw new Moved()
}
