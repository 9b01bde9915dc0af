import { carryOut } from '../drift/repair.ts'
import { compareSubscriptions } from '../drift/subscriptions.ts'
import type { LookDeps } from '../look.ts'
import { comparedPages } from './compared-pages.ts'

/**
 * Subscriptions that are not here as the provider showed them, though what it shows is nothing new: somebody altered a row,
 * or wrote an end into it that was guessed. Each is looked at once more, which writes down how it stands. What that does not
 * help is named by the proof. Killed, it goes on with the page that it was at.
 */
export async function lookAgain(deps: LookDeps, importId: string): Promise<void> {
  const pages = comparedPages(deps, { importId, type: 'subscription again', anew: false })
  for await (const { objects, compared } of pages) {
    const { drifts } = await compareSubscriptions(deps, objects)
    const counts = { made: 0, refused: 0 }
    for (const drift of drifts) {
      if (drift.repair !== 'look') continue
      counts[(await carryOut(deps, drift)) === null ? 'made' : 'refused'] += 1
    }
    await compared(counts)
  }
}
