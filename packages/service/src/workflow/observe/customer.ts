import type Stripe from 'stripe'
import { ownReference } from '../../provider/stripe/field.ts'
import { entityIdOf } from '../../store/mappings.ts'
import { readInstallation } from './installation.ts'
import type { Noun, Owner } from './noun.ts'

/**
 * Stripe's customer. What we keep of it is the picture itself: who it is stands in our own row, and
 * whether a card is there or a payment overdue is read from what Stripe says.
 */
export const customerNoun: Noun<Stripe.Customer | Stripe.DeletedCustomer, Owner> = {
  async owner(db, object) {
    const installation = await readInstallation(db)
    const mapped = await entityIdOf(db, installation, 'customer', object.id)
    if (mapped !== undefined) return { customerId: mapped }
    if (object.deleted) return null
    // Never by e-mail address: that is how accounts are taken over.
    const own = ownReference(object.metadata)
    if (own.instance !== installation.instance || own.customer === null) return null
    const known = await db
      .selectFrom('customer')
      .select('id')
      .where('id', '=', own.customer)
      .executeTakeFirst()
    return known ? { customerId: known.id } : null
  },
  needsGate: async () => false,
  write: async () => ({}),
}
