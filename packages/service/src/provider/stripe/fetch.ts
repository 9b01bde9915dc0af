import type Stripe from 'stripe'
import { type CallDeps, readStripe } from './call.ts'

// Lists inside an object stop at ten entries. What is computed from them is fetched whole.

const PAGE = 100

export function fetchSubscription(
  deps: Pick<CallDeps, 'provider'>,
  id: string,
): Promise<Stripe.Subscription> {
  return readStripe(deps, async (stripe) => withAllItems(stripe, await stripe.subscriptions.retrieve(id)))
}

/** Every subscription of a customer, the canceled ones too, newest first. */
export function fetchSubscriptions(
  deps: Pick<CallDeps, 'provider'>,
  customer: string,
): Promise<Stripe.Subscription[]> {
  return readStripe(deps, async (stripe) => {
    const found: Stripe.Subscription[] = []
    for await (const subscription of stripe.subscriptions.list({ customer, status: 'all', limit: PAGE })) {
      found.push(await withAllItems(stripe, subscription))
    }
    return found
  })
}

export function fetchInvoice(deps: Pick<CallDeps, 'provider'>, id: string): Promise<Stripe.Invoice> {
  return readStripe(deps, async (stripe) => withAllLines(stripe, await stripe.invoices.retrieve(id)))
}

export function fetchCustomer(
  deps: Pick<CallDeps, 'provider'>,
  id: string,
): Promise<Stripe.Customer | Stripe.DeletedCustomer> {
  return readStripe(deps, (stripe) => stripe.customers.retrieve(id))
}

export async function withAllItems(
  stripe: Stripe,
  subscription: Stripe.Subscription,
): Promise<Stripe.Subscription> {
  if (!subscription.items.has_more) return subscription
  const data = await all(stripe.subscriptionItems.list({ subscription: subscription.id, limit: PAGE }))
  return { ...subscription, items: { ...subscription.items, data, has_more: false } }
}

export async function withAllLines(stripe: Stripe, invoice: Stripe.Invoice): Promise<Stripe.Invoice> {
  if (!invoice.lines.has_more) return invoice
  const data = await all(stripe.invoices.listLineItems(invoice.id, { limit: PAGE }))
  return { ...invoice, lines: { ...invoice.lines, data, has_more: false } }
}

/** Every page of a list. A page that fails fails the whole: half a list must not read as all of it. */
export async function all<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of pages) items.push(item)
  return items
}
