import { Problem } from '@lockstep/core/problem'
import type Stripe from 'stripe'
import type { Trx } from '../../postgres/connect.ts'
import { customerOperation } from '../../provider/stripe/customers.ts'
import { ownReference } from '../../provider/stripe/field.ts'
import { entityIdOf, unlink } from '../../store/mappings.ts'
import { settleGone } from '../../store/operations.ts'
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
  async write(trx, { object, owner }) {
    if (object.deleted && owner.customerId !== null) await forgetCustomer(trx, object.id)
    return {}
  },
}

/**
 * A customer that was deleted at Stripe is gone for good, and its subscriptions with it. Ours stays, linked
 * to none; the next registration makes it a new one.
 */
export async function forgetCustomer(trx: Trx, providerId: string): Promise<void> {
  const installation = await readInstallation(trx)
  const customerId = await entityIdOf(trx, installation, 'customer', providerId)
  if (customerId === undefined) return
  await unlink(trx, installation, { entityType: 'customer', providerId })
  const problem = new Problem('provider_refused', 'The customer was deleted at the payment provider.')
  await settleGone(trx, customerOperation(customerId), providerId, problem)
}
