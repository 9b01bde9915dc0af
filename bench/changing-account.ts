import type Stripe from 'stripe'

const CUSTOMERS = 200
const SUBSCRIBED = 150
const AT_ONCE = 16

/** Kinds of events that both sides act on; of others the mirror answers with an error. */
const KINDS = /^(customer|product|price|invoice)\.(subscription\.)?(created|updated|finalized|paid)$/

export interface Account {
  readonly stripe: Stripe
  /** 200 customers, 150 subscriptions, and the invoice of each. */
  readonly objects: readonly Changing[]
}

interface Changing {
  readonly type: 'customer' | 'subscription' | 'invoice'
  readonly id: string
}

/** An account that nobody here knows. */
export async function makeAccount(stripe: Stripe): Promise<Account> {
  const product = await stripe.products.create({ name: 'Team' })
  const price = await stripe.prices.create({
    product: product.id,
    currency: 'usd',
    unit_amount: 1200,
    recurring: { interval: 'month' },
  })
  const objects: Changing[] = []
  await together(CUSTOMERS, async (i) => {
    const customer = await stripe.customers.create({ name: `Customer ${i}` })
    objects.push({ type: 'customer', id: customer.id })
    if (i >= SUBSCRIBED) return
    const card = await stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
    const { id, latest_invoice } = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id, quantity: 1 + (i % 5) }],
      default_payment_method: card.id,
    })
    objects.push({ type: 'subscription', id }, { type: 'invoice', id: latest_invoice as string })
  })
  return { stripe, objects }
}

/** Changes one object after the other; each change is told by one event. */
export async function change({ stripe, objects }: Account, changes: number): Promise<void> {
  await together(changes, async (i) => {
    const object = objects[i % objects.length]
    const metadata = { change: String(i) }
    if (object?.type === 'customer') await stripe.customers.update(object.id, { name: `Name ${i}`, metadata })
    if (object?.type === 'subscription') await stripe.subscriptions.update(object.id, { metadata })
    if (object?.type === 'invoice') await stripe.invoices.update(object.id, { metadata })
  })
}

/**
 * All that was told of it, in the order in which it happened. The last `tied` share one second, as after a script that
 * changes everything; the others have a second each, as what people do has.
 */
export async function toldInSeconds({ stripe }: Account, tied: number): Promise<string[]> {
  const events: Stripe.Event[] = []
  for await (const event of stripe.events.list({ limit: 100 })) if (KINDS.test(event.type)) events.push(event)
  const begin = Math.floor(Date.now() / 1000) - events.length
  const last = events.length - tied
  return events
    .toReversed()
    .map((event, i) => JSON.stringify({ ...event, created: begin + Math.min(i, last) }))
}

/** How each object is at Stripe now, by its id. */
export async function asItIs({ stripe }: Account): Promise<ReadonlyMap<string, object>> {
  const found = new Map<string, object>()
  for await (const one of stripe.customers.list({ limit: 100 })) found.set(one.id, one)
  for await (const one of stripe.subscriptions.list({ limit: 100 })) found.set(one.id, one)
  for await (const one of stripe.invoices.list({ limit: 100 })) if (one.id) found.set(one.id, one)
  return new Map([...found].map(([id, one]) => [id, JSON.parse(JSON.stringify(one)) as object]))
}

async function together(count: number, work: (i: number) => Promise<void>): Promise<void> {
  const numbers = Array.from({ length: count }, (_, i) => i).values()
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const i of numbers) await work(i)
    }),
  )
}
