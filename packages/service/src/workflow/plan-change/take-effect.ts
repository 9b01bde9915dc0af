import { areSameAddons } from '@lockstep/core/addon'
import type { Instant } from '@lockstep/core/instant'
import { areSameNumbers } from '@lockstep/core/item-numbers'
import { ratesAlike } from '@lockstep/core/plan-change'
import type { Accepted } from '../../contract/acceptance.ts'
import { amendContract } from '../../contract/conclude.ts'
import { newId } from '../../ids.ts'
import type { Trx } from '../../postgres/connect.ts'
import { loadAttached } from '../../store/addons.ts'
import { hastenDue } from '../../store/due.ts'
import { readFeatures } from '../../store/features.ts'
import { isVersionFound } from '../../store/inbound-plans.ts'
import { markEffective } from '../../store/plan-changes.ts'
import { loadPlanVersion } from '../../store/plans.ts'
import type { ToldTerms } from '../../store/schema/plan-changes.ts'
import type { Row } from '../../store/schema.ts'
import { wakeWorkflow } from '../../store/workflows.ts'
import { changedAgreement } from './agreed-terms.ts'
import { ELSEWHERE, nobodyAsked } from './elsewhere.ts'
import { PLANNED_CHANGE } from './input.ts'
import { notRunning } from './running-coupons.ts'

type Terms = Pick<
  Row<'subscription'>,
  'id' | 'customerId' | 'planVersionId' | 'quantity' | 'addons' | 'itemNumbers'
>

/**
 * A subscription was seen on other terms than before: the change takes effect here, once, in the
 * transaction that writes the subscription down. It is one of ours (`open`: those that have not ended), or one
 * that somebody made at the provider; a contract takes the place of the one before in either case.
 */
export async function takeEffect(trx: Trx, { before, after, change }: Turned, at: Instant): Promise<void> {
  if (isSame(before, after) && !change) return
  const elsewhere = {
    contractId: newId('contract'),
    requestOrigin: ELSEWHERE,
    coupons: [],
    withoutCoupons: [],
    accepted: nobodyAsked,
  }
  const isNew = change ? undefined : isFeeFound(trx, before, after).then((isFound) => !isFound)
  await Promise.all([
    isNew,
    change ? makeEffective(trx, { change, before, after }, at) : amend(trx, after, elsewhere, at, isNew),
    change && wakeWorkflow(trx, change.workflowId),
    rateByNewPlan(trx, before, after),
  ])
}

/**
 * What is paid at the provider is as it was, and only now can it be read here what that is: the same plan's version took
 * the place of the one without any price. Nothing else was agreed on.
 */
async function isFeeFound(trx: Trx, before: Terms, after: Terms): Promise<boolean> {
  if (before.quantity !== after.quantity || !areSameAddons(before.addons, after.addons)) return false
  return isVersionFound(trx, before.planVersionId, after.planVersionId)
}

interface Turned {
  readonly before: Terms & Pick<Row<'subscription'>, 'discounts'>
  readonly after: Terms
  /** The one of ours that makes of it what it was seen to be; see {@link changeTowards}. */
  readonly change: Row<'planChange'> | undefined
}

/**
 * The change of ours, if any, that makes of a subscription what it was just seen to be. One that only redeems
 * coupons, or takes them off, leaves its terms alone and is known by its name, which the subscription carries (`isMadeBy`).
 */
export function changeTowards(
  open: readonly Row<'planChange'>[],
  before: Terms,
  after: Terms,
  isMadeBy: (workflowId: string) => boolean,
): Row<'planChange'> | undefined {
  const towards = open.filter((change) => isSoldAlike(change, after))
  const exactly = towards.find((change) => areSameNumbers(change.itemNumbers, after.itemNumbers))
  // What is planned may come before its schedule is told what that is by now.
  const asTold = () => open.find(({ stillTold }) => stillTold !== null && isSoldAlike(stillTold, after))
  if (!isSoldAlike(before, after)) return exactly ?? towards[0] ?? asTold()
  const named = towards.find(
    (change) =>
      change.state === 'applying' &&
      change.coupons.length + change.withoutCoupons.length > 0 &&
      isMadeBy(change.workflowId),
  )
  return named ?? (isSame(before, after) ? undefined : exactly)
}

export const isSame = (before: ToldTerms, after: ToldTerms): boolean =>
  isSoldAlike(before, after) && areSameNumbers(before.itemNumbers, after.itemNumbers)

/** But for the numbers of their items. */
const isSoldAlike = (before: ToldTerms, after: ToldTerms): boolean =>
  before.planVersionId === after.planVersionId &&
  before.quantity === after.quantity &&
  areSameAddons(before.addons, after.addons)

interface Effective {
  readonly change: Row<'planChange'>
  /** How the subscription was seen before. */
  readonly before: Pick<Row<'subscription'>, 'discounts'>
  readonly after: ToldTerms
}

/**
 * Marks a change as effective and makes its contract. Again, it changes nothing. What somebody makes at the provider
 * before it is due has a schedule that would make it once more: that is due to let go now.
 */
export async function makeEffective(
  trx: Trx,
  { change, before, after }: Effective,
  at: Instant,
): Promise<void> {
  const { planVersionId, quantity, addons, itemNumbers } = after
  const isEffective = markEffective(trx, change.id, after, at)
  await Promise.all([
    isEffective,
    change.state === 'scheduled' && hastenDue(trx, { kind: PLANNED_CHANGE, subjectId: change.id, dueAt: at }),
    amend(
      trx,
      {
        ...{ id: change.subscriptionId, customerId: change.customerId },
        ...{ planVersionId, quantity, addons: [...addons], itemNumbers },
      },
      {
        ...{ ...change, ranBefore: before.discounts },
        ...(change.origin === 'provider' && { accepted: nobodyAsked }),
      },
      at,
      isEffective,
    ),
  ])
}

async function amend(
  trx: Trx,
  { id, customerId, planVersionId, quantity, addons: attached, itemNumbers }: Terms,
  {
    contractId,
    requestOrigin,
    coupons,
    withoutCoupons,
    ranBefore = [],
    // Who accepts was recorded when it was asked for, where anybody asked.
    accepted = {},
  }: Pick<Row<'planChange'>, 'contractId' | 'requestOrigin'> & {
    readonly coupons: readonly string[]
    readonly withoutCoupons: readonly string[]
    /** The provider's discounts: what came of a coupon before was agreed on when it was given. */
    readonly ranBefore?: readonly string[]
    readonly accepted?: Accepted
  },
  at: Instant,
  isEffective: Promise<boolean> = Promise.resolve(true),
): Promise<void> {
  const features = readFeatures(trx)
  await Promise.all([
    features,
    amendContract(trx, {
      ...{ customerId, subscriptionId: id, contractId, requestOrigin, at },
      accepted,
      changed: async (agreed) => {
        if (!(await isEffective)) return {}
        const version = await loadPlanVersion(trx, planVersionId)
        const addons = await loadAttached(trx, attached)
        const terms = { subscriptionId: id, version, quantity, addons, itemNumbers, withoutCoupons, at }
        const redeemed = await notRunning(trx, coupons, ranBefore)
        return changedAgreement(trx, agreed, { ...terms, coupons: redeemed }, await features)
      },
    }),
  ])
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
