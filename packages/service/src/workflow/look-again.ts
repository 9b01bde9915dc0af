import { providerIdOf } from '../store/mappings.ts'
import type { DueKind } from './due.ts'
import { lookAt } from './look.ts'

/** A subscription is looked at once more, though nothing tells of it. */
const looksAgain = (kind: string): DueKind => ({
  kind,
  async run(deps, { subjectId }) {
    const id = await providerIdOf(deps.db, 'subscription', subjectId)
    if (id === undefined) return 'not at the provider'
    const looked = await lookAt(deps, { type: 'subscription', id })
    if (looked.kind === 'applied' && looked.syncSubscription !== undefined)
      await deps.requestSync(looked.syncSubscription)
    return looked.kind
  },
})

/** A version before this one wrote down other numbers than its items say. */
export const numbersUnread = looksAgain('subscription.numbers')

/** It was heard of with an item whose product was not known yet (`admit/late-items.ts`). */
export const itemKnown = looksAgain('subscription.items')
