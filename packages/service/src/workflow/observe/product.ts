import type { Instant } from '@lockstep/core/instant'
import type Stripe from 'stripe'
import type { Trx } from '../../postgres/connect.ts'
import { toProduct } from '../../provider/stripe/to-product.ts'
import { changeInboundProduct, removeUnsold, setInboundArchived } from '../../store/inbound-plans.ts'
import { entityIdOf } from '../../store/mappings.ts'
import { readInstallation } from './installation.ts'
import type { Noun, Owner } from './noun.ts'

interface ProductOwner extends Owner {
  readonly key: string
}

/**
 * Stripe's product. One that was made there and taken up is here what it is there, as long as the catalogue does not
 * name it; what the catalogue names is the catalogue's, whatever the dashboard says.
 */
export const productNoun: Noun<Stripe.Product | Stripe.DeletedProduct, ProductOwner> = {
  async owner(db, object) {
    const key = await entityIdOf(db, await readInstallation(db), 'product', object.id)
    return key === undefined ? null : { customerId: null, key }
  },
  needsGate: async () => false,
  async write(trx, { object, owner: { key }, now }) {
    if (object.deleted) await retireProduct(trx, object.id, await now())
    else {
      await changeInboundProduct(trx, key, toProduct(object))
      await setInboundArchived(trx, key, object.active ? null : await now())
    }
    return {}
  },
}

/** Gone at Stripe: forgotten if nothing was ever sold of it, and otherwise off sale for good. */
export async function retireProduct(trx: Trx, providerId: string, at: Instant): Promise<void> {
  const key = await entityIdOf(trx, await readInstallation(trx), 'product', providerId)
  if (key === undefined || (await removeUnsold(trx, key))) return
  await setInboundArchived(trx, key, at)
}
