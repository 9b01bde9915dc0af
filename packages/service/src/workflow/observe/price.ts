import type Stripe from 'stripe'
import { idOf } from '../../provider/stripe/field.ts'
import { entityIdOf } from '../../store/mappings.ts'
import { readInstallation } from './installation.ts'
import type { Noun, Owner } from './noun.ts'

/**
 * Stripe's price, of a product that we know. It never changes in what it costs, so its picture is all that is kept;
 * what follows from a new one is decided when it is taken up.
 */
export const priceNoun: Noun<Stripe.Price | Stripe.DeletedPrice, Owner> = {
  async owner(db, object) {
    const installation = await readInstallation(db)
    const known =
      (await entityIdOf(db, installation, 'price', object.id)) ??
      (object.deleted ? undefined : await entityIdOf(db, installation, 'product', idOf(object.product)))
    return known === undefined ? null : { customerId: null }
  },
  needsGate: async () => false,
  write: async () => ({}),
}
