import { providerIdOf } from '../store/mappings.ts'
import type { DueKind } from './due.ts'
import { lookAt } from './look.ts'

/** A version before this one wrote down other numbers than a subscription's items say: it is looked at once more. */
export const numbersUnread: DueKind = {
  kind: 'subscription.numbers',
  async run(deps, { subjectId }) {
    const id = await providerIdOf(deps.db, 'subscription', subjectId)
    if (id === undefined) return 'not at the provider'
    const looked = await lookAt(deps, { type: 'subscription', id })
    if (looked.kind === 'applied' && looked.syncSubscription !== undefined)
      await deps.requestSync(looked.syncSubscription)
    return looked.kind
  },
}
