import type Stripe from 'stripe'
import { linkedPictures } from '../../store/imports.ts'
import { carryOut } from '../drift/repair.ts'
import { compareSubscriptions } from '../drift/subscriptions.ts'
import type { LookDeps } from '../look.ts'

/**
 * Subscriptions that are not here as the provider showed them, though what it shows is nothing new: somebody altered a row,
 * or wrote an end into it that was guessed. Each is looked at once more, which writes down how it stands. What that does not
 * help is named by the proof.
 */
export async function lookAgain(deps: LookDeps): Promise<void> {
  for await (const page of linkedPictures(deps.db, deps.provider, 'subscription')) {
    const { drifts } = await compareSubscriptions(
      deps,
      page.map(({ raw }) => raw as Stripe.Subscription),
    )
    for (const drift of drifts) if (drift.repair === 'look') await carryOut(deps, drift)
  }
}
