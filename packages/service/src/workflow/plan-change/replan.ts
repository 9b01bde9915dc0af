import { isTerminal } from '@lockstep/core/subscription'
import type Stripe from 'stripe'
import type { Trx } from '../../postgres/connect.ts'
import { transaction } from '../../postgres/transaction.ts'
import { type ChangeToSchedule, mayBeTold } from '../../provider/stripe/scheduled-changes.ts'
import { loadAttached } from '../../store/addons.ts'
import { openChanges, type PlanChange, readPlanChange, rewriteScheduled } from '../../store/plan-changes.ts'
import { loadPlanVersion } from '../../store/plans.ts'
import { readLinked, readObject } from '../../store/provider-objects.ts'
import type { ToldTerms } from '../../store/schema/plan-changes.ts'
import { lockSubscription } from '../../store/subscriptions.ts'
import type { LookDeps } from '../look.ts'
import { customerTime } from '../observe/customer-time.ts'
import { toldItem, wantedItems } from '../subscription-items.ts'
import { comesTo } from './comes-to.ts'
import type { ChangeInput } from './input.ts'
import { hasOtherRhythm, scheduled } from './scheduled.ts'
import { readStanding } from './standing.ts'
import { isSame, makeEffective } from './take-effect.ts'

/** What the provider's schedule is to be told, and what that comes to. */
export interface ToTell {
  readonly change: Omit<ChangeToSchedule, 'operation'>
  readonly terms: ToldTerms
}

/**
 * Writes a planned change down anew, by how its subscription was last seen to stand ({@link comesTo}). Where nothing is left of
 * it, because somebody made all of it at the provider, it has taken effect. Again, it changes nothing. A text says why there is
 * nothing to tell.
 */
export function replan(deps: LookDeps, changeId: string, input: ChangeInput): Promise<ToTell | string> {
  const { id, providerId } = input.subscription
  return transaction(deps.db, async (trx) => {
    const subscription = await lockSubscription(trx, id)
    const change = await readPlanChange(trx, changeId)
    const { applying } = await openChanges(trx, id)
    if (!subscription || isTerminal(subscription.status) || applying !== undefined) return 'nothing to do'
    if (change?.state !== 'scheduled' || change.dueAt === null) return 'nothing to do'
    const at = await customerTime(trx, deps.clock, subscription.customerId)
    if (at >= change.dueAt || !(await isOursToTell(trx, change, change.dueAt))) return 'left to its schedule'
    const standing = await readStanding(deps, providerId, await readLinked(trx, 'subscription', id))
    const waiting = { subscription, change, standing }
    const { from, to: terms, direction, plans, items } = await comesTo(trx, deps.provider, waiting)
    if (items.own.undecided !== undefined) return asRecorded(trx, change, input)
    if (!isSame(change, terms)) {
      const stillTold = change.stillTold ?? change
      await rewriteScheduled(trx, { id: changeId, from, to: terms, direction, stillTold })
    }
    if (isSame(subscription, terms)) {
      await makeEffective(trx, { change, before: subscription, after: terms }, at)
      return 'made already'
    }
    const { interval, intervalCount } = plans.next
    return {
      terms,
      change: {
        ...scheduled(input),
        ...{ at: change.dueAt, items: items.wanted, changes: items.items },
        stood: standing.items.map(
          ({ providerId: item, price, quantity }) => [item, price, quantity] as const,
        ),
        ...{ interval, intervalCount, changesRhythm: hasOtherRhythm(plans.now, plans.next) },
      },
    }
  })
}

async function isOursToTell(trx: Trx, change: PlanChange, at: number): Promise<boolean> {
  const key = { type: 'subscription_schedule', id: change.providerScheduleId ?? '' } as const
  const seen = await readObject(trx, key)
  return seen !== undefined && !seen.gone && mayBeTold(seen.raw as Stripe.SubscriptionSchedule, at)
}

/** It cannot be said what stands for the plan by now: what is planned comes as it was written down. */
async function asRecorded(trx: Trx, change: PlanChange, input: ChangeInput): Promise<ToTell> {
  const { planVersionId, quantity, itemNumbers } = change
  const terms = { planVersionId, quantity, addons: change.addons, itemNumbers }
  // Who stays on a plan that is paid for otherwise keeps that price.
  if (planVersionId === change.fromPlanVersionId) return { change: scheduled(input), terms }
  const version = await loadPlanVersion(trx, planVersionId)
  const addons = await loadAttached(trx, change.addons)
  const items = await wantedItems(trx, { version, quantity, addons, itemNumbers })
  return { change: { ...scheduled(input), items: items.map(toldItem) }, terms }
}
