import { isDeepStrictEqual } from 'node:util'
import type { Cancellation } from '@lockstep/core/cancellation'
import { checkCancellation, endsAlready } from '@lockstep/core/cancellation'
import { isCustomersOwn, refuseToPutOff } from '@lockstep/core/planned-end'
import { Problem } from '@lockstep/core/problem'
import { isTerminal } from '@lockstep/core/subscription'
import { passes } from '../../passing.ts'
import { fetchSubscription } from '../../provider/stripe/fetch.ts'
import { releaseSchedule } from '../../provider/stripe/schedules.ts'
import { planEnd, scheduleOf } from '../../provider/stripe/subscription-end.ts'
import { endSubscription } from '../../provider/stripe/subscriptions.ts'
import { previewUnusedTime } from '../../provider/stripe/unused-time.ts'
import { callMayBeDone } from '../../store/operations.ts'
import { plannersOfEnd } from '../../store/subscription-deeds.ts'
import { readSubscription, type Subscription } from '../../store/subscriptions.ts'
import type { Step, WorkflowKind } from '../journal.ts'
import { type LookDeps, lookAt } from '../look.ts'
import { syncSubscription } from '../sync-invoice.ts'
import {
  type DeedDeps,
  type DeedInput,
  type DeedRun,
  type DeedWish,
  deedKind,
  doDeed,
  isChanging,
  type Settled,
} from './deed.ts'
import { type GivenBack, giveBack, toRecord, type Unused } from './give-back.ts'
import { type Target, targetOf, tell } from './tell.ts'

export interface CancelResult {
  readonly givenBack: GivenBack | null
}

export interface End extends Cancellation {
  /** What is to be given back, as somebody was shown it; reckoned by the deed itself where nobody was. */
  readonly shown?: Unused | null
}

/** How a subscription stood when its end was shown. */
export type StoodAs = Pick<
  Subscription,
  'status' | 'planVersionId' | 'quantity' | 'cancelAt' | 'cancelAtPeriodEnd' | 'currentPeriodEnd'
>

/**
 * Ends a subscription now, with its period, or at a date. Asked for what is planned already, nothing is done,
 * unless it was the customer's own until now: whoever else wants it too is recorded, and it stays. What was shown of one
 * that stands otherwise by now is not done.
 */
export function cancelSubscription(
  deps: DeedDeps,
  wish: DeedWish<End>,
  shownOf?: StoodAs,
): Promise<Settled<CancelResult>> {
  const { wanted, asks, reason } = wish
  return doDeed(deps, wish, async (subscription, now, trx) => {
    if (shownOf && !isDeepStrictEqual(stoodAs(subscription), stoodAs(shownOf))) throw isChanging()
    checkCancellation(subscription, wanted, now)
    const isPlanned = subscription.cancelAt !== null || subscription.cancelAtPeriodEnd
    const planners = isPlanned ? await plannersOfEnd(trx, subscription.id) : []
    refuseToPutOff(asks, subscription, wanted, planners)
    const isOwn = isCustomersOwn({ byUser: asks === 'user', reason })
    const isSettled = isOwn || !planners.every(isCustomersOwn)
    return endsAlready(subscription, wanted) && isSettled ? null : 'cancel'
  })
}

function stoodAs(of: StoodAs): StoodAs {
  const { status, planVersionId, quantity, cancelAt, cancelAtPeriodEnd, currentPeriodEnd } = of
  return { status, planVersionId, quantity, cancelAt, cancelAtPeriodEnd, currentPeriodEnd }
}

export function cancelKind(deps: LookDeps): WorkflowKind {
  return deedKind<End, CancelResult>(deps, 'cancel', (step, input) =>
    input.wanted.when === 'now'
      ? endNow(deps, step, input)
      : planTheEnd(deps, step, input, input.wanted.when),
  )
}

async function planTheEnd(
  deps: LookDeps,
  step: Step,
  { subscriptionId }: DeedInput<End>,
  when: Exclude<Cancellation['when'], 'now'>,
): Promise<CancelResult> {
  await step('plan end at provider', async (key) => {
    const target = await targetOf(deps, subscriptionId)
    if (await letGo(deps, key, target))
      throw new Problem('subscription_over', 'It ended before that was done.')
    await tell(deps, target, () => planEnd(deps, key, target, when))
  })
  return { givenBack: null }
}

/**
 * Usage first: what stands at the provider is on whatever invoice the end makes there. What comes
 * between that and the end is billed afterwards, on an invoice of its own.
 */
async function endNow(deps: LookDeps, step: Step, deed: DeedRun<End>): Promise<CancelResult> {
  const { subscriptionId, wanted } = deed
  const { unusedTime: how } = wanted
  const target = await targetOf(deps, subscriptionId)
  await step('synchronize usage', async () => {
    // It may have ended in the dashboard, and nobody told us yet.
    await lookAt(deps, { type: 'subscription', id: target.providerId })
    return billUsage(deps, subscriptionId)
  })
  const reckoned = () => (how === 'keep' ? null : step('reckon unused time', () => reckon(deps, target, how)))
  const unused = wanted.shown === undefined ? await reckoned() : wanted.shown
  const { byUs } = await step('cancel at provider', (key) => end(deps, key, target))
  await step('bill what is left', () => billUsage(deps, subscriptionId))
  // Whoever ended it meanwhile has decided over the unused time as well.
  if (!byUs || how === 'keep' || !unused) return { givenBack: null }
  return { givenBack: await giveBack(deps, step, deed, { how, unused }) }
}

/** A refusal keeps nobody in a subscription: it stands on the invoice, and the schedule tries again. */
async function billUsage(deps: LookDeps, subscriptionId: string): Promise<{ refused: string | null }> {
  try {
    await syncSubscription(deps, subscriptionId, { reason: 'cancellation' })
    return { refused: null }
  } catch (error) {
    if (!(error instanceof Problem) || error.status >= 500 || passes(error)) throw error
    deps.log.warn({ subscription: subscriptionId, code: error.code }, 'Usage could not be sent at an end.')
    return { refused: error.code }
  }
}

async function reckon(
  deps: LookDeps,
  { id, providerId }: Target,
  how: 'credit' | 'refund',
): Promise<Unused | null> {
  const subscription = await readSubscription(deps.db, id)
  // Over by now: the provider does not preview that any more.
  if (!subscription || isTerminal(subscription.status)) return null
  const { currency } = subscription
  return toRecord(await previewUnusedTime(deps, providerId, { currency, how }), currency)
}

/** Whether it was us: whoever is faster in the dashboard may have ended it before. */
async function end(deps: LookDeps, key: string, target: Target): Promise<{ byUs: boolean }> {
  const begun = await callMayBeDone(deps.db, key)
  if (await letGo(deps, key, target)) {
    await lookAt(deps, { type: 'subscription', id: target.providerId })
    return { byUs: begun }
  }
  try {
    await tell(deps, target, () => endSubscription(deps, key, target))
    return { byUs: true }
  } catch (error) {
    if (!(error instanceof Problem) || error.status >= 500) throw error
    await lookAt(deps, { type: 'subscription', id: target.providerId })
    const now = await readSubscription(deps.db, target.id)
    if (!now || !isTerminal(now.status)) throw error
    // A lost answer may have been that of the call that ended it: the next one is refused.
    return { byUs: await callMayBeDone(deps.db, key) }
  }
}

/**
 * A schedule decides over the end of its subscription, so it has to go before somebody else does. True:
 * the subscription is over already.
 */
async function letGo(deps: LookDeps, key: string, target: Target): Promise<boolean> {
  const seen = await fetchSubscription(deps, target.providerId)
  if (seen.status === 'canceled' || seen.status === 'incomplete_expired') return true
  const schedule = scheduleOf(seen)
  if (schedule !== null)
    await releaseSchedule(deps, `${key}/release`, { subscriptionId: target.id, scheduleId: schedule })
  return false
}
