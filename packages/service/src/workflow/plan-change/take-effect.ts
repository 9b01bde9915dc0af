import { areSameAddons } from '@lockstep/core/addon'
import type { Instant } from '@lockstep/core/instant'
import { ratesAlike } from '@lockstep/core/plan-change'
import { amendContract } from '../../contract/conclude.ts'
import { newId } from '../../ids.ts'
import type { Trx } from '../../postgres/connect.ts'
import { loadAttached } from '../../store/addons.ts'
import { changeTowards, markEffective } from '../../store/plan-changes.ts'
import { loadPlanVersion } from '../../store/plans.ts'
import type { Row } from '../../store/schema.ts'
import { wakeWorkflow } from '../../store/workflows.ts'
import { agreementInForce, changedAgreement } from './agreed-terms.ts'

type Terms = Pick<Row<'subscription'>, 'id' | 'customerId' | 'planVersionId' | 'quantity' | 'addons'>

/** Where a change comes from that nobody asked us for: the provider's dashboard or portal. */
const ELSEWHERE = 'provider'

/**
 * A subscription was seen on other terms than before: the change takes effect here, once, in the
 * transaction that writes the subscription down. It is one of ours, or one that somebody made at the
 * provider; a contract takes the place of the one before in either case. Returns whether it is ours.
 */
export async function takeEffect(trx: Trx, before: Terms, after: Terms, at: Instant): Promise<boolean> {
  const isSame = before.planVersionId === after.planVersionId && before.quantity === after.quantity
  if (isSame && areSameAddons(before.addons, after.addons)) return false
  const change = await changeTowards(trx, after)
  if (change) {
    await makeEffective(trx, change, at)
    await wakeWorkflow(trx, change.workflowId)
  } else await amend(trx, after, { contractId: newId('contract'), requestOrigin: ELSEWHERE, coupons: [] }, at)
  await rateByNewPlan(trx, before, after)
  return change !== undefined
}

/** Marks a change as effective and makes its contract. Again, it changes nothing. */
export async function makeEffective(trx: Trx, change: Row<'planChange'>, at: Instant): Promise<void> {
  if (!(await markEffective(trx, change.id, at))) return
  await amend(trx, { ...change, id: change.subscriptionId }, change, at)
}

/** Of a subscription without a contract nothing was agreed on that could become different. */
async function amend(
  trx: Trx,
  { id, planVersionId, quantity, addons: attached }: Terms,
  {
    contractId,
    requestOrigin,
    coupons,
  }: Pick<Row<'planChange'>, 'contractId' | 'requestOrigin'> & { readonly coupons: readonly string[] },
  at: Instant,
): Promise<void> {
  const inForce = await agreementInForce(trx, id)
  if (!inForce) return
  const version = await loadPlanVersion(trx, planVersionId)
  const addons = await loadAttached(trx, attached)
  const changed = await changedAgreement(trx, inForce.agreement, { version, quantity, addons, coupons, at })
  // Who accepts was recorded when it was asked for, where anybody asked.
  await amendContract(trx, { subscriptionId: id, contractId, changed, requestOrigin, accepted: {}, at })
}

/**
 * The period that runs is rated by the new plan where that rates like the old one. Where it does not, the
 * provider began a new period with the change, which is on the new plan by itself; otherwise this one is
 * rated to its end as it was begun.
 */
async function rateByNewPlan(trx: Trx, before: Terms, after: Terms): Promise<void> {
  if (before.planVersionId === after.planVersionId) return
  const [old, next] = [
    await loadPlanVersion(trx, before.planVersionId),
    await loadPlanVersion(trx, after.planVersionId),
  ]
  if (!ratesAlike(old.plan, next.plan)) return
  await trx
    .updateTable('invoice')
    .set({ planVersionId: after.planVersionId })
    .where('subscriptionId', '=', after.id)
    .where('status', '=', 'current')
    .where('planVersionId', '=', before.planVersionId)
    .execute()
}
