import { refuseOver } from '@lockstep/core/cancellation'
import type { Instant } from '@lockstep/core/instant'
import { Problem } from '@lockstep/core/problem'
import type { Collection } from '@lockstep/core/subscription-history'
import { pauseCollection } from '../../provider/stripe/subscription-end.ts'
import type { WorkflowKind } from '../journal.ts'
import type { LookDeps } from '../look.ts'
import { type DeedDeps, type DeedWish, deedKind, doDeed, type Settled } from './deed.ts'
import { targetOf, tell } from './tell.ts'

/** How invoices are left uncollected. */
export type PausedCollection = Exclude<Collection, 'charging'>

export interface Pause {
  readonly collection: PausedCollection
  /** When they are collected again by themselves; null: when somebody says so. */
  readonly resumesAt: Instant | null
}

const behaviors = {
  keepAsDraft: 'keep_as_draft',
  markUncollectible: 'mark_uncollectible',
  void: 'void',
} as const

/** Leaves a subscription's invoices uncollected. Service goes on, periods go on; asked again, nothing is done. */
export function pauseSubscription(deps: DeedDeps, wish: DeedWish<Pause>): Promise<Settled<null>> {
  const { collection, resumesAt } = wish.wanted
  return doDeed(deps, wish, (subscription, now) => {
    refuseOver(subscription)
    if (resumesAt !== null && resumesAt <= now) {
      const detail = 'The date has passed.'
      throw new Problem('invalid_request', detail, {
        faults: [{ pointer: '#/resumesAt', code: 'not_in_future', detail }],
      })
    }
    const isSo = subscription.collection === collection && subscription.collectionResumesAt === resumesAt
    return isSo ? null : 'pause'
  })
}

export function pauseKind(deps: LookDeps): WorkflowKind {
  return deedKind<Pause, null>(deps, 'pause', async (step, { subscriptionId, wanted }) => {
    const target = await targetOf(deps, subscriptionId)
    const { collection, resumesAt } = wanted
    await step('pause collection', (key) =>
      tell(deps, target, () =>
        pauseCollection(deps, key, target, { behavior: behaviors[collection], resumesAt }),
      ),
    )
    return null
  })
}
