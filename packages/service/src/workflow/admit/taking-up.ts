import type { Trx } from '../../postgres/connect.ts'
import { transaction } from '../../postgres/transaction.ts'
import { ownReference } from '../../provider/stripe/field.ts'
import { type EntityType, entityIdOf, link, lockLinks, type Mapping } from '../../store/mappings.ts'
import { retryUnmapped } from '../../store/unmapped-events.ts'
import type { LookDeps } from '../look.ts'
import type { ShownDiscounts } from './shown-discounts.ts'

/** Made by nobody's installation: what carries a name is that one's, and what carries ours we know already. */
export function isUnclaimed(metadata: Readonly<Record<string, string>> | null | undefined): boolean {
  return ownReference(metadata ?? null).instance === null
}

export interface AdmitDeps extends LookDeps {
  /** How both come together; seen in an event unless said. */
  readonly origin?: 'webhook' | 'import'
  /** Discounts that were listed with their owners. */
  readonly shown?: ShownDiscounts
}

export interface Link {
  readonly entityType: EntityType
  readonly entityId: string
  /** How they came together, where that is not by taking it up: ours was here before, or both were linked before. */
  readonly origin?: Mapping['origin']
}

/**
 * Makes ours of one object of Stripe's and links both, once: whoever comes second finds what the first one made.
 * Events that waited for just this are looked at again. Throws when ours was linked to another meanwhile.
 */
export async function takeUp(
  { db, clock, provider, origin = 'webhook' }: AdmitDeps,
  entityType: EntityType,
  { providerType, providerId }: { readonly providerType: string; readonly providerId: string },
  make: (trx: Trx) => Promise<readonly Link[]>,
): Promise<string> {
  return transaction(db, async (trx) => {
    await lockLinks(trx, providerId)
    const known = await entityIdOf(trx, provider, entityType, providerId)
    if (known !== undefined) return known
    const at = clock.now()
    let made: string | undefined
    const links = await make(trx)
    for (const one of links) {
      const linked = await link(trx, provider, { origin, ...one, providerType, providerId, at })
      // Another was faster. Tried again, that one is seen, and this one is taken up as one of its own.
      if (linked !== providerId)
        throw new Error(`${one.entityType} ${one.entityId} was linked to ${linked}, not to ${providerId}.`)
      if (one.entityType === entityType) made = one.entityId
    }
    if (made === undefined) throw new Error(`Nothing was made of ${providerType} ${providerId}.`)
    await retryUnmapped(
      trx,
      links.map((one) => ({ entityType: one.entityType, providerId })),
      at,
    )
    return made
  })
}
