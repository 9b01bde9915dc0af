import type Stripe from 'stripe'
import { toProduct } from '../../provider/stripe/to-product.ts'
import { lockCatalog } from '../../store/catalog.ts'
import { freeKey } from '../../store/free-key.ts'
import { addInboundAddon } from '../../store/inbound-addons.ts'
import { addInboundPlan } from '../../store/inbound-plans.ts'
import { type AdmitDeps, isUnclaimed, takeUp } from './taking-up.ts'

/**
 * An empty plan for a product that was made at Stripe, and an empty add-on, to be completed here; its prices give both
 * their versions. Returns the plan's key; undefined of a product that is gone or somebody else's.
 */
export async function admitProduct(
  deps: AdmitDeps,
  object: Stripe.Product | Stripe.DeletedProduct,
): Promise<string | undefined> {
  if (object.deleted || !isUnclaimed(object.metadata)) return undefined
  return takeUp(deps, 'plan', { providerType: 'product', providerId: object.id }, async (trx) => {
    await lockCatalog(trx)
    const entityId = await freeKey(trx, object.name, ['plan', 'product', 'addon'])
    await addInboundPlan(trx, entityId, toProduct(object), deps.clock.now())
    await addInboundAddon(trx, entityId, deps.clock.now())
    return [
      { entityType: 'product', entityId },
      { entityType: 'plan', entityId },
      { entityType: 'addon', entityId },
    ]
  })
}
