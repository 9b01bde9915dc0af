import { lineReference, type ObservedItem } from '../../provider/stripe/to-invoice-item.ts'
import { missUnlisted } from '../../store/pending-items.ts'
import { isSeenSo, readObjects } from '../../store/provider-objects.ts'
import type { LookDeps } from '../look.ts'
import { observe } from '../observe.ts'
import type { Picture } from './picture.ts'

interface Lists {
  readonly items: readonly ObservedItem[]
  /** The drafts whose items are among them; all that is pending is. */
  readonly drafts: ReadonlySet<string>
  /** Drawn before anything was asked for. */
  readonly observation: bigint
}

/**
 * Whoever lists what stands for a subscription sees what is none of ours as well: what was changed by hand, of which no
 * event tells, and what is not there any more. It costs no call.
 */
export async function noteOthers(
  deps: LookDeps,
  { subscription: { id: subscriptionId, customerId } }: Picture,
  { items, drafts, observation }: Lists,
): Promise<void> {
  const { db, provider } = deps
  const others = items.filter(({ metadata }) => !lineReference(provider.instance, metadata))
  const seen = await readObjects(
    db,
    others.map(({ providerId: id }) => ({ type: 'invoiceitem', id })),
  )
  for (const { object } of others) {
    if (isSeenSo(seen.get(`invoiceitem ${object.id}`), object)) continue
    await observe(deps, { type: 'invoiceitem', object, observation, source: 'fetch' })
  }
  const ids = others.map(({ providerId }) => providerId)
  await missUnlisted(db, { customerId, subscriptionId, ids, drafts: [...drafts], observation })
}
