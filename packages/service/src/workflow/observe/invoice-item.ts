import type Stripe from 'stripe'
import type { Db, Trx } from '../../postgres/connect.ts'
import { lineReference } from '../../provider/stripe/to-invoice-item.ts'
import { toPendingItem } from '../../provider/stripe/to-pending-item.ts'
import { entityIdOf, STRIPE } from '../../store/mappings.ts'
import { forgetPendingItem, writePendingItem } from '../../store/pending-items.ts'
import { subscriptionRows } from '../../store/subscriptions.ts'
import { readInstallation } from './installation.ts'
import { type Noun, type Owner, SubscriptionBehind } from './noun.ts'

interface InvoiceItemOwner extends Owner {
  readonly customerId: string
  readonly subscriptionId: string | null
}

/**
 * What stands at Stripe to be billed and is none of our lines: prorations of what it bills itself, and what somebody put
 * there. Where our own lines are is read with every synchronisation, so of those nothing is kept here; and an item of
 * a subscription that is none of ours goes onto none of our invoices.
 */
export const invoiceItemNoun: Noun<Stripe.InvoiceItem | Stripe.DeletedInvoiceItem, InvoiceItemOwner> = {
  async owner(db, object) {
    if (object.deleted) return ownerOfDeleted(db, object.id)
    const installation = await readInstallation(db)
    const { customer, subscription, metadata } = toPendingItem(object)
    if (lineReference(installation.instance, metadata)) return null
    const customerId = await entityIdOf(db, installation, 'customer', customer)
    if (customerId === undefined) return null
    if (subscription === null) return { customerId, subscriptionId: null }
    const subscriptionId = await entityIdOf(db, installation, 'subscription', subscription)
    return subscriptionId === undefined ? null : { customerId, subscriptionId }
  },

  needsGate: async () => false,

  async write(trx, { object, owner, subscriptionSeen }) {
    if (object.deleted) {
      await forgetPendingItem(trx, object.id)
      return {}
    }
    const { providerId: id, invoice: providerInvoiceId, subscription, content } = toPendingItem(object)
    // Taken up a moment ago, it is linked and not yet seen.
    if (subscription !== null && !subscriptionSeen && !(await isSeen(trx, owner.subscriptionId)))
      throw new SubscriptionBehind(subscription)
    await writePendingItem(trx, { id, ...owner, providerInvoiceId, content })
    return {}
  },
}

/** In its three words it says no more whose it was. */
async function ownerOfDeleted(db: Db, id: string): Promise<InvoiceItemOwner | null> {
  const known = await db
    .selectFrom('pendingItem')
    .select(['customerId', 'subscriptionId'])
    .where('provider', '=', STRIPE)
    .where('id', '=', id)
    .executeTakeFirst()
  return known ?? null
}

async function isSeen(trx: Trx, subscriptionId: string | null): Promise<boolean> {
  if (subscriptionId === null) return true
  return (await subscriptionRows(trx, { ids: [subscriptionId] })).length > 0
}
