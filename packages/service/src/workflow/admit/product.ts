import type Stripe from 'stripe'
import { toProduct } from '../../provider/stripe/to-product.ts'
import { lockCatalog } from '../../store/catalog.ts'
import { freeKey } from '../../store/free-key.ts'
import { addInboundAddon } from '../../store/inbound-addons.ts'
import { addInboundPlan } from '../../store/inbound-plans.ts'
import { entityIdOf } from '../../store/mappings.ts'
import { type AdmitDeps, isUnclaimed, takeUp } from './taking-up.ts'

/**
 * An empty plan for a product that was made at Stripe, and an empty add-on, to be completed here; its prices give both
 * their versions, and until they are read it says that they are not. Nothing is made of one that is gone or somebody else's, nor of one
 * whose plan a person unlinked, as long as anything else here is linked to it.
 */
export async function admitProduct(
  deps: AdmitDeps,
  object: Stripe.Product | Stripe.DeletedProduct,
  /** Every price is read next, whosever it is. */
  { pricesFollow = false }: { readonly pricesFollow?: boolean } = {},
): Promise<void> {
  if (object.deleted || !isUnclaimed(object.metadata)) return
  for (const entityType of ['product', 'addon'] as const)
    if ((await entityIdOf(deps.db, deps.provider, entityType, object.id)) !== undefined) return
  await takeUp(deps, 'plan', { providerType: 'product', providerId: object.id }, async (trx) => {
    await lockCatalog(trx)
    const entityId = await freeKey(trx, object.name, ['plan', 'product', 'addon'])
    const at = deps.clock.now()
    await addInboundPlan(trx, entityId, toProduct(object), { pricesUnread: !pricesFollow, at })
    await addInboundAddon(trx, entityId, at)
    return [
      { entityType: 'product', entityId },
      { entityType: 'plan', entityId },
      { entityType: 'addon', entityId },
    ]
  })
}
