import type { Instant } from '@lockstep/core/instant'
import { Problem } from '@lockstep/core/problem'
import type Stripe from 'stripe'
import type { Trx } from '../../postgres/connect.ts'
import { customerOperation } from '../../provider/stripe/customers.ts'
import { ownReference } from '../../provider/stripe/field.ts'
import { followProfile, markDeletedAtProvider } from '../../store/customers.ts'
import { entityIdOf, isTheirs, mappingOf, unlink } from '../../store/mappings.ts'
import { settleGone } from '../../store/operations.ts'
import { discountsUnread } from '../../store/provider-discounts.ts'
import { readInstallation } from './installation.ts'
import { Implausible, type Noun, type Owner } from './noun.ts'

interface CustomerOwner extends Owner {
  /** It was made at Stripe, so it is called here what it is called there. */
  readonly isTheirs: boolean
}

/**
 * Stripe's customer. What we keep of it is the picture itself: who one of ours is stands in our own row, and
 * whether a card is there or a payment overdue is read from what Stripe says.
 */
export const customerNoun: Noun<Stripe.Customer | Stripe.DeletedCustomer, CustomerOwner> = {
  async owner(db, object) {
    const installation = await readInstallation(db)
    const mapped = await mappingOf(db, installation, 'customer', object.id)
    if (mapped) return { customerId: mapped.entityId, isTheirs: isTheirs(mapped.origin) }
    if (object.deleted) return null
    // Never by e-mail address: that is how accounts are taken over.
    const own = ownReference(object.metadata)
    if (own.instance !== installation.instance || own.customer === null) return null
    const known = await db
      .selectFrom('customer')
      .select('id')
      .where('id', '=', own.customer)
      .executeTakeFirst()
    return known ? { customerId: known.id, isTheirs: false } : null
  },
  needsGate: async () => false,
  async write(trx, { object, owner, source, now }) {
    if (owner.customerId === null) return {}
    // A payload may name a discount that was never asked for; what is looked at was.
    if (source === 'event' && !object.deleted && object.discount) {
      if ((await discountsUnread(trx, [object.discount.id])).size > 0) throw new Implausible()
    }
    if (object.deleted) await forgetCustomer(trx, object.id, await now())
    else if (owner.isTheirs)
      await followProfile(trx, {
        ...{ customerId: owner.customerId, name: object.name ?? null, email: object.email },
      })
    return {}
  },
}

/**
 * A customer that was deleted at Stripe is gone for good, and its subscriptions with it. Ours stays, linked
 * to none; the next registration makes it a new one.
 */
export async function forgetCustomer(trx: Trx, providerId: string, at: Instant): Promise<void> {
  const installation = await readInstallation(trx)
  const customerId = await entityIdOf(trx, installation, 'customer', providerId)
  if (customerId === undefined) return
  await unlink(trx, installation, { entityType: 'customer', providerId })
  await markDeletedAtProvider(trx, customerId, at)
  const problem = new Problem('provider_refused', 'The customer was deleted at the payment provider.')
  await settleGone(trx, customerOperation(customerId), providerId, problem)
}
