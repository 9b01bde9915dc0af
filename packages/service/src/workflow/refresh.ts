import type { Db } from '../postgres/connect.ts'
import { readStripe } from '../provider/stripe/call.ts'
import { all, fetchSubscriptions, withAllLines } from '../provider/stripe/fetch.ts'
import { invoicesOfProvider } from '../store/invoices.ts'
import { providerIdOf } from '../store/mappings.ts'
import { nextObservation } from '../store/provider-objects.ts'
import { type LookDeps, lookAt } from './look.ts'
import { observe } from './observe.ts'

/** Brings a subscription and its invoices up to what Stripe says now. */
export async function refreshSubscription(deps: LookDeps, subscriptionId: string): Promise<void> {
  const providerId = await providerIdOf(deps.db, 'subscription', subscriptionId)
  if (providerId === undefined) return
  await lookAt(deps, { type: 'subscription', id: providerId })
  await refreshInvoices(deps, { subscription: providerId })
}

/** The same for everything of a customer: each subscription first, because invoices belong to it. */
export async function refreshCustomer(deps: LookDeps, customerId: string): Promise<void> {
  const providerId = await providerIdOf(deps.db, 'customer', customerId)
  if (providerId === undefined) return
  const observation = await nextObservation(deps.db)
  const subscriptions = await fetchSubscriptions(deps, providerId)
  for (const object of subscriptions) {
    await observe(deps, { type: 'subscription', object, observation, source: 'fetch' })
  }
  await refreshInvoices(deps, { customer: providerId })
}

/**
 * Looks at every invoice that may say more than we know: those that are new, and those whose status
 * has changed since they were seen. Returns whether anything of ours changed by it.
 */
export async function refreshInvoices(
  deps: LookDeps,
  whose: { readonly customer: string } | { readonly subscription: string },
): Promise<boolean> {
  const observation = await nextObservation(deps.db)
  const invoices = await readStripe(deps, (stripe) => all(stripe.invoices.list({ ...whose, limit: 100 })))
  const ids = invoices.map(({ id }) => id)
  const before = await statuses(deps.db, ids)
  // Oldest first, as they came to be.
  for (const listed of invoices.toReversed()) {
    const known = before.get(listed.id)
    if (known === listed.status || (known === 'closing' && listed.status === 'draft')) continue
    const object = await readStripe(deps, (stripe) => withAllLines(stripe, listed))
    const outcome = await observe(deps, { type: 'invoice', object, observation, source: 'fetch' })
    if (outcome.kind === 'subscriptionBehind') await lookAt(deps, { type: 'invoice', id: listed.id })
  }
  const after = await statuses(deps.db, ids)
  return ids.some((id) => before.get(id) !== after.get(id))
}

async function statuses(db: Db, providerIds: readonly string[]): Promise<ReadonlyMap<string | null, string>> {
  const rows = await invoicesOfProvider(db, providerIds)
  return new Map(rows.map(({ providerInvoiceId, status }) => [providerInvoiceId, status]))
}
