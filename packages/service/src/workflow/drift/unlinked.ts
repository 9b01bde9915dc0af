import type { Stripe } from 'stripe'
import { ownObject } from '../../provider/stripe/own-objects.ts'
import type { LookDeps } from '../look.ts'
import { judgeUnlinked } from '../orphans/find.ts'
import type { Compared, Drift } from './drift.ts'

/**
 * Objects that no row of ours is linked to. Those that carry our name are orphans, and judged as such; those of
 * others are none of ours.
 */
export async function compareUnlinked(
  deps: LookDeps,
  type: 'customer' | 'subscription',
  objects: readonly (Stripe.Customer | Stripe.Subscription)[],
): Promise<Compared> {
  const own = objects.flatMap((object) => ownObject(deps.provider, type, object) ?? [])
  const orphans = await judgeUnlinked(deps, own)
  const drifts = orphans.flatMap((orphan): Drift[] => {
    if (orphan.verdict === 'wait' || orphan.verdict === 'leave') return []
    const { entityId, id: providerId, reason, verdict } = orphan
    const missing = { entity: type, kind: 'missingHere', entityId, providerId, differences: [] } as const
    return [
      verdict === 'adopt'
        ? { ...missing, cause: 'unlinked', repair: 'link', reason }
        : { ...missing, cause: 'unexplained', repair: null, reason },
    ]
  })
  return { drifts, underWay: orphans.filter(({ verdict }) => verdict === 'wait').length }
}
