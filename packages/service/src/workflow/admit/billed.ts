import { flowsIn } from '@lockstep/core/direction'
import type Stripe from 'stripe'
import { fetchCustomer, fetchSubscription } from '../../provider/stripe/fetch.ts'
import { idOf } from '../../provider/stripe/field.ts'
import { invoicesOfProvider } from '../../store/invoices.ts'
import { entityIdOf } from '../../store/mappings.ts'
import { admitCustomer, customerNeeded, isUnlinked } from './customer.ts'
import { admitSubscription } from './subscription.ts'
import { type AdmitDeps, isUnclaimed } from './taking-up.ts'

/**
 * An invoice or a credit note is heard of before the subscription or the customer that it bills: they are taken up
 * first, as if they had been told of in the right order.
 */
export async function admitBilled(
  deps: AdmitDeps,
  object: Stripe.Invoice | Stripe.CreditNote,
): Promise<void> {
  const { db, provider } = deps
  const { customer, subscription } = provider.sync.directions
  const details = object.object === 'invoice' ? object.parent?.subscription_details : null
  if (details && flowsIn(subscription)) {
    const id = idOf(details.subscription)
    if (isUnclaimed(details.metadata) && (await entityIdOf(db, provider, 'subscription', id)) === undefined)
      await admitSubscription(deps, await fetchSubscription(deps, id))
  } else if (!details && flowsIn(customer) && object.customer !== null) {
    await admitBilledCustomer(deps, object, idOf(object.customer))
  }
}

/**
 * What waits to be billed of a subscription is heard of before that: the same. Items of no subscription need nobody: their
 * customer is taken up by what tells of them, or by the invoice that bills it.
 */
export async function admitPending(deps: AdmitDeps, { parent, metadata }: Stripe.InvoiceItem): Promise<void> {
  const { db, provider, origin } = deps
  // An import has read the subscriptions before, and said of each why it is not taken up.
  if (origin === 'import') return
  const subscription = parent?.subscription_details?.subscription
  if (!subscription || !isUnclaimed(metadata) || !flowsIn(provider.sync.directions.subscription)) return
  if ((await entityIdOf(db, provider, 'subscription', subscription)) !== undefined) return
  await admitSubscription(deps, await fetchSubscription(deps, subscription))
}

/** One whom a person unlinked is needed as by a new subscription; what is here of before needs nobody. */
async function admitBilledCustomer(
  deps: AdmitDeps,
  { id, object: type }: Stripe.Invoice | Stripe.CreditNote,
  providerId: string,
): Promise<void> {
  const { db, provider } = deps
  if ((await entityIdOf(db, provider, 'customer', providerId)) !== undefined) return
  const customer = await fetchCustomer(deps, providerId)
  if (await isUnlinked(db, customer)) {
    if (type === 'invoice' && (await invoicesOfProvider(db, [id])).length > 0) return
    if (provider.sync.missingCustomer !== 'create') throw customerNeeded(providerId)
  }
  await admitCustomer(deps, customer)
}
