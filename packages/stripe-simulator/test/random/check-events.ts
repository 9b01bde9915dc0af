import type Stripe from 'stripe'
import type { History } from './history.ts'
import { hold } from './hold.ts'
import { type Story, subscriptions } from './story.ts'

/** What changes without an event, by the object's name. */
const silent: Readonly<Record<string, readonly string[]>> = {
  // Every number that an invoice is given counts it up; Stripe tells of the invoice.
  customer: ['next_invoice_sequence'],
  // When the webhooks of an invoice were delivered is known after they were.
  invoice: ['webhooks_delivered_at'],
  // An invoice takes a pending item; of items Stripe announces only that they are made and deleted.
  invoiceitem: ['invoice'],
  // A credit note lowers what is left to pay; there is no event for an intent that asks for less.
  payment_intent: ['amount'],
}

type Shown = Record<string, unknown> & { id: string; object: string }

/** Folding the events gives the state: the newest snapshot of each object is what the object is now. */
export async function checkEvents(
  story: Story,
  history: History,
  how: 'listed' | 'retrieved',
): Promise<void> {
  const newest = new Map<string, Shown>()
  for (const { data } of history.events) {
    const object = data.object as unknown as Shown
    if (typeof object.id === 'string') newest.set(object.id, object)
  }
  for (const listed of await everything(story)) {
    const { id, object } = listed as unknown as Shown
    const shown = how === 'listed' ? listed : await retrieve(story.stripe, object, id)
    const [told, is] = [comparable(newest.get(id), object), comparable(shown, object)]
    for (const field of new Set([...Object.keys(told), ...Object.keys(is)]))
      hold(`${object} ${id} ${field}, in its newest event`, told[field], is[field])
  }
}

function comparable(shown: unknown, object: string): Record<string, unknown> {
  const fields = JSON.parse(JSON.stringify(shown ?? {})) as Record<string, unknown>
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !silent[object]?.includes(name)))
}

async function everything(story: Story): Promise<unknown[]> {
  const { stripe, customer } = story
  const all = { customer, limit: 100 }
  const most = { limit: 10_000 }
  return [
    await stripe.customers.retrieve(customer),
    ...(await subscriptions(story)),
    ...(await stripe.invoices.list(all).autoPagingToArray(most)),
    ...(await stripe.invoiceItems.list(all).autoPagingToArray(most)),
    ...(await stripe.paymentIntents.list(all).autoPagingToArray(most)),
    ...(await stripe.charges.list(all).autoPagingToArray(most)),
    ...(await stripe.refunds.list({ limit: 100 }).autoPagingToArray(most)),
    ...(await stripe.creditNotes.list(all).autoPagingToArray(most)),
    ...(await stripe.subscriptionSchedules.list(all).autoPagingToArray(most)),
  ]
}

function retrieve(stripe: Stripe, object: string, id: string): Promise<unknown> {
  const by: Record<string, (id: string) => Promise<unknown>> = {
    customer: (one) => stripe.customers.retrieve(one),
    subscription: (one) => stripe.subscriptions.retrieve(one),
    invoice: (one) => stripe.invoices.retrieve(one),
    invoiceitem: (one) => stripe.invoiceItems.retrieve(one),
    payment_intent: (one) => stripe.paymentIntents.retrieve(one),
    charge: (one) => stripe.charges.retrieve(one),
    refund: (one) => stripe.refunds.retrieve(one),
    credit_note: (one) => stripe.creditNotes.retrieve(one),
    subscription_schedule: (one) => stripe.subscriptionSchedules.retrieve(one),
  }
  return (by[object] as (id: string) => Promise<unknown>)(id)
}
