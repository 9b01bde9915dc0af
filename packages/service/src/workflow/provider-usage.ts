import { isTerminal } from '@lockstep/core/subscription'
import { transaction } from '../postgres/transaction.ts'
import { previewCounted } from '../provider/stripe/counted-usage.ts'
import { spread } from '../spread.ts'
import { providerIdOf } from '../store/mappings.ts'
import { nextObservation } from '../store/provider-objects.ts'
import { writeReading } from '../store/provider-usage.ts'
import { readSubscription } from '../store/subscriptions.ts'
import type { LookDeps } from './look.ts'
import { customerTime } from './observe/customer-time.ts'

/** How old what is shown of the provider's meters grows at most, but for a provider that does not answer. */
export const READ_EVERY_SECONDS = 3600
/** Those that were read together are not read together again. */
const SPREAD_SECONDS = 600

/**
 * Asks the provider what its own meters have counted of a subscription so far, and keeps it beside its current invoice. One call
 * where anything is counted there, more only for what has more than ten lines. Nothing is ever sent of it: whoever counts it bills it.
 */
export async function readProviderUsage(deps: LookDeps, subscriptionId: string): Promise<void> {
  const { db, clock } = deps
  const subscription = await readSubscription(db, subscriptionId)
  if (!subscription || isTerminal(subscription.status) || subscription.meteredItems.length === 0) return
  const providerId = await providerIdOf(db, 'subscription', subscriptionId)
  if (providerId === undefined) return
  const items = subscription.meteredItems
  const asOf = await customerTime(db, clock, subscription.customerId)
  const observation = await nextObservation(db)
  const lines = await previewCounted(deps, providerId, items)
  const dueAt = clock.now() + READ_EVERY_SECONDS - spread(subscriptionId, SPREAD_SECONDS)
  await transaction(db, (trx) => writeReading(trx, { subscriptionId, asOf, observation, lines, dueAt }))
}

/** The same for whoever goes on without: what was said before stays, with its moment, and it is asked again. False: it failed. */
export async function tryReadProviderUsage(deps: LookDeps, subscriptionId: string): Promise<boolean> {
  try {
    await readProviderUsage(deps, subscriptionId)
    return true
  } catch (err) {
    deps.log.warn(
      { err, subscription: subscriptionId },
      'What the provider has counted could not be read yet.',
    )
    return false
  }
}
