import { type Obstacles, obstaclesOf } from '@lockstep/core/cancellation'
import { refuseToResume } from '@lockstep/core/planned-end'
import { fetchSubscription } from '../../provider/stripe/fetch.ts'
import { idOf } from '../../provider/stripe/field.ts'
import { type LeftToPay, leftToPay } from '../../provider/stripe/first-payment.ts'
import { clearEnd, resumeCollection, resumePaused } from '../../provider/stripe/subscription-end.ts'
import { plannersOfEnd } from '../../store/subscription-deeds.ts'
import { readSubscription } from '../../store/subscriptions.ts'
import type { Step, WorkflowKind } from '../journal.ts'
import type { LookDeps } from '../look.ts'
import { type DeedDeps, type DeedInput, type DeedWish, deedKind, doDeed, type Settled } from './deed.ts'
import { type Target, targetOf, tell } from './tell.ts'

/** What was in the way, and is not any more, but for what has to be paid first: it stays paused until then. */
export interface ResumeResult extends Obstacles {
  readonly toPay?: LeftToPay | null
}

type Nothing = Record<string, never>

/**
 * Takes away whatever keeps a subscription from going on: a planned end, paused collection, a pause. What was
 * put there by somebody else is refused, and nothing is done.
 */
export function resumeSubscription(
  deps: DeedDeps,
  wish: Omit<DeedWish<Nothing>, 'wanted'>,
): Promise<Settled<ResumeResult>> {
  return doDeed(deps, { ...wish, wanted: {} }, async (subscription, _, trx) => {
    const obstacles = obstaclesOf(subscription)
    const { plannedEnd, collection, pause } = obstacles
    refuseToResume(wish.asks, obstacles, plannedEnd ? await plannersOfEnd(trx, subscription.id) : [])
    return collection || pause ? 'resume' : 'cancelUndone'
  })
}

export function resumeKinds(deps: LookDeps): WorkflowKind[] {
  const run = (step: Step, input: DeedInput<Nothing>) => resume(deps, step, input)
  return [deedKind(deps, 'resume', run), deedKind(deps, 'cancelUndone', run)]
}

async function resume(
  deps: LookDeps,
  step: Step,
  { subscriptionId }: DeedInput<Nothing>,
): Promise<ResumeResult> {
  const target = await targetOf(deps, subscriptionId)
  const before = await step('see what is in the way', async () => {
    const subscription = await readSubscription(deps.db, subscriptionId)
    if (!subscription) throw new Error(`There is no subscription ${subscriptionId}.`)
    return { ...obstaclesOf(subscription), cancelAtPeriodEnd: subscription.cancelAtPeriodEnd }
  })
  const { cancelAtPeriodEnd, ...obstacles } = before
  if (obstacles.plannedEnd)
    await step('take back planned end', (key) =>
      tell(deps, target, () => clearEnd(deps, key, target, { cancelAtPeriodEnd })),
    )
  if (obstacles.collection)
    await step('resume collection', (key) => tell(deps, target, () => resumeCollection(deps, key, target)))
  if (obstacles.pause) return { ...obstacles, toPay: await goOn(deps, step, target) }
  return obstacles
}

/**
 * Begins a new period, whose invoice is collected at once. Where the card or the bank says no, it stays paused, and
 * goes on by itself when the customer has paid the invoice; asked again meanwhile, there is no second one.
 * https://docs.stripe.com/billing/subscriptions/pause#resume-subscriptions
 */
async function goOn(deps: LookDeps, step: Step, target: Target): Promise<LeftToPay | null> {
  await step('resume at provider', async (key) => {
    const { pending_update: waits } = await fetchSubscription(deps, target.providerId)
    if (waits === null) await tell(deps, target, () => resumePaused(deps, key, target))
  })
  return step('see what is left to pay', async () => {
    const { status, latest_invoice: latest } = await fetchSubscription(deps, target.providerId)
    if (status !== 'paused' || latest === null) return null
    return leftToPay(deps, idOf(latest))
  })
}
