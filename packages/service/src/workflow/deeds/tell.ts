import type Stripe from 'stripe'
import { wasReplayed } from '../../provider/stripe/call.ts'
import { providerIdOf } from '../../store/mappings.ts'
import { nextObservation } from '../../store/provider-objects.ts'
import { type LookDeps, lookAt } from '../look.ts'
import { observeAnswer } from '../observe-answer.ts'

/** A subscription by our name and by the provider's. */
export interface Target {
  readonly id: string
  readonly providerId: string
}

export async function targetOf({ db }: LookDeps, id: string): Promise<Target> {
  const providerId = await providerIdOf(db, 'subscription', id)
  if (providerId === undefined) throw new Error(`${id} is not known to the provider.`)
  return { id, providerId }
}

/**
 * Makes a call that changes a subscription, and takes its answer in like everything else we learn: what
 * is written here is what the provider said. Memory of an earlier try says how it was then, so it is
 * looked at instead; so is one whose items do not all stand in the answer.
 */
export async function tell(
  deps: LookDeps,
  { providerId: id }: Target,
  call: () => Promise<Stripe.Subscription>,
): Promise<void> {
  const observation = await nextObservation(deps.db)
  const object = await call()
  if (!wasReplayed(object)) {
    const { kind } = await observeAnswer(deps, { object, observation })
    if (kind === 'applied') return
  }
  await lookAt(deps, { type: 'subscription', id })
}
