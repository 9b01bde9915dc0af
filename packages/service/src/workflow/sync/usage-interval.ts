import { flowsOut } from '@lockstep/core/direction'
import type Stripe from 'stripe'
import { observationOf, wasReplayed } from '../../provider/stripe/call.ts'
import { hasOtherInterval, setUsageInterval, usageIntervalOf } from '../../provider/stripe/usage-interval.ts'
import { loadPlanVersion } from '../../store/plans.ts'
import { readObject } from '../../store/provider-objects.ts'
import { type LookDeps, lookAt } from '../look.ts'
import { observeAnswer } from '../observe-answer.ts'
import type { Picture } from './picture.ts'

/**
 * Sees to it that Stripe invoices what is pending as often as the plan says: of a subscription that was changed to
 * another plan, at once or by a schedule, that was made elsewhere, or that somebody has changed there. No call
 * where it is so already, nor where subscriptions are Stripe's alone to say: there whoever makes them sets it.
 */
export async function keepUsageInterval(deps: LookDeps, picture: Picture): Promise<void> {
  const { subscription, provider, isOver } = picture
  if (isOver || !flowsOut(deps.provider.sync.directions.subscription)) return
  const { plan } = await loadPlanVersion(deps.db, subscription.planVersionId)
  const wanted = usageIntervalOf(plan)
  const seen = await readObject(deps.db, { type: 'subscription', id: provider.subscription })
  if (!seen || !hasOtherInterval(seen.raw as Stripe.Subscription, wanted)) return
  // A sight of its own for each time: the same call again after a crash, another one after another sight.
  const operation = `${subscription.id}/usage-interval/${seen.observation}`
  const own = { id: subscription.id, providerId: provider.subscription }
  const object = await setUsageInterval(deps, operation, own, wanted)
  if (wasReplayed(object)) await lookAt(deps, { type: 'subscription', id: provider.subscription })
  else await observeAnswer(deps, { object, observation: observationOf(object) })
}
