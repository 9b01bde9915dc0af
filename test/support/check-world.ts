import type { Pool } from 'pg'
import type Stripe from 'stripe'
import { everyCustomer, everySubscription } from './everything.ts'

/**
 * The invariants that hold whenever nothing is due and nothing is in flight, checked against the
 * database and against Stripe, neither of them through our own code. Returns one sentence for each
 * breach; an empty list is a sound world.
 */
export async function checkWorld({ db, stripe }: { db: Pool; stripe: Stripe }): Promise<string[]> {
  const { rows } = await db.query<{ instance: string }>('select instance from installation')
  const instance = rows[0]?.instance
  if (instance === undefined) return ['The database names no installation.']
  const breaches = await Promise.all([
    noOrphans(db, stripe, instance),
    oneItemPerLine(db, stripe, instance),
    oneInvoicePerPeriod(stripe),
    everythingEnded(db),
    usageConserved(db),
  ])
  return breaches.flat()
}

/** I1 and I3: every object of ours at Stripe has exactly one row here, and the reverse. */
async function noOrphans(db: Pool, stripe: Stripe, instance: string): Promise<string[]> {
  const breaches: string[] = []
  const { rows } = await db.query<{ entity_type: string; entity_id: string; provider_id: string }>(
    'select entity_type, entity_id, provider_id from mapping',
  )
  const mapped = new Map(rows.map((row) => [`${row.entity_type} ${row.provider_id}`, row.entity_id]))
  const seen = new Map<string, string>()
  const meet = (
    entity: 'customer' | 'subscription' | 'product' | 'price',
    id: string,
    metadata: Stripe.Metadata,
  ) => {
    if (metadata.lockstep_instance !== instance) return
    const ours = mapped.get(`${entity} ${id}`)
    if (ours === undefined)
      breaches.push(
        `Stripe's ${entity} ${id} is ours but has no row here (operation ${metadata.lockstep_operation}).`,
      )
    else seen.set(`${entity} ${id}`, ours)
  }

  const live = new Map<string, string[]>()
  for await (const customer of everyCustomer(stripe)) meet('customer', customer.id, customer.metadata)
  for await (const product of stripe.products.list({ limit: 100 }))
    meet('product', product.id, product.metadata)
  for await (const price of stripe.prices.list({ limit: 100 })) meet('price', price.id, price.metadata)
  for await (const subscription of everySubscription(stripe)) {
    meet('subscription', subscription.id, subscription.metadata)
    if (['canceled', 'incomplete_expired'].includes(subscription.status)) continue
    const customer =
      typeof subscription.customer === 'string' ? subscription.customer : subscription.customer.id
    live.set(customer, [...(live.get(customer) ?? []), subscription.id])
  }
  for (const [customer, subscriptions] of live)
    if (subscriptions.length > 1)
      breaches.push(
        `Stripe's customer ${customer} has ${subscriptions.length} live subscriptions: ${subscriptions.join(', ')}.`,
      )

  for (const { entity_type, entity_id, provider_id } of rows) {
    if (!['customer', 'subscription', 'product', 'price'].includes(entity_type)) continue
    if (!seen.has(`${entity_type} ${provider_id}`))
      breaches.push(`${entity_id} is mapped to ${provider_id}, which Stripe does not have.`)
  }
  return breaches
}

/** Never two items for one line, and Stripe's amount is the one we remember. */
async function oneItemPerLine(db: Pool, stripe: Stripe, instance: string): Promise<string[]> {
  const breaches: string[] = []
  const { rows } = await db.query<{ id: string; amount: string; state: string }>(
    `select provider_item_id as id, amount::text, state from invoice_item where state <> 'removed'`,
  )
  const remembered = new Map(rows.map((row) => [row.id, row]))
  for (const row of rows)
    if (row.state === 'intended')
      breaches.push(`An invoice item is still only intended (${row.id ?? 'not sent'}).`)
  const lines = new Map<string, string>()
  for await (const item of stripe.invoiceItems.list({ limit: 100 })) {
    if (item.metadata?.lockstep_instance !== instance) continue
    const line = `${item.metadata.lockstep_line} revision ${item.metadata.lockstep_revision}`
    const other = lines.get(line)
    if (other !== undefined) breaches.push(`Line ${line} stands twice at Stripe: ${other} and ${item.id}.`)
    lines.set(line, item.id)
    const row = remembered.get(item.id)
    if (row === undefined)
      breaches.push(`Stripe's item ${item.id} (line ${line}) is ours but not remembered here.`)
    else if (row.amount !== String(item.amount))
      breaches.push(`Item ${item.id} is ${item.amount} at Stripe and ${row.amount} here.`)
    remembered.delete(item.id)
  }
  for (const id of remembered.keys())
    breaches.push(`Item ${id} is remembered here, but Stripe does not have it.`)
  return breaches
}

/** I2: no period of a subscription is invoiced twice. */
async function oneInvoicePerPeriod(stripe: Stripe): Promise<string[]> {
  const breaches: string[] = []
  const periods = new Map<string, string>()
  for await (const invoice of stripe.invoices.list({ limit: 100 })) {
    if (invoice.status === 'void') continue
    const subscription = invoice.parent?.subscription_details?.subscription
    if (
      !subscription ||
      !['subscription_create', 'subscription_cycle'].includes(invoice.billing_reason ?? '')
    )
      continue
    const key = `${typeof subscription === 'string' ? subscription : subscription.id} ${invoice.billing_reason} ${invoice.period_end}`
    const other = periods.get(key)
    if (other !== undefined) breaches.push(`${key} is invoiced twice: ${other} and ${invoice.id}.`)
    periods.set(key, invoice.id)
  }
  return breaches
}

/** I8: every workflow and every provider call has ended. */
async function everythingEnded(db: Pool): Promise<string[]> {
  const workflows = await db.query<{ id: string; state: string; stage: string }>(
    `select id, state, stage from workflow where state not in ('completed', 'rolledBack')`,
  )
  const operations = await db.query<{ id: string; state: string }>(
    `select id, state from operation where state in ('prepared', 'unknown', 'parked')`,
  )
  const events = await db.query<{ id: string; state: string }>(
    `select id, state from provider_event where state in ('received', 'parked')`,
  )
  return [
    ...workflows.rows.map(({ id, state, stage }) => `Workflow ${id} is ${state} at ${stage}.`),
    ...operations.rows.map(({ id, state }) => `Operation ${id} is ${state}.`),
    ...events.rows.map(({ id, state }) => `Event ${id} is ${state}.`),
  ]
}

/** I5: what was taken in stands once in the identities, once as an event, and once in the rollups. */
async function usageConserved(db: Pool): Promise<string[]> {
  const { rows } = await db.query<{
    identities: string
    events: string
    counted: string
    raw: string
    rolled: string
  }>(`
    select (select count(*) from usage_identity)::text as identities,
           (select count(*) from usage_event)::text as events,
           (select coalesce(sum(count), 0) from usage_rollup)::text as counted,
           (select coalesce(sum(quantity), 0) from usage_event)::numeric(38, 9)::text as raw,
           (select coalesce(sum(sum), 0) from usage_rollup)::numeric(38, 9)::text as rolled`)
  const [row] = rows
  if (row === undefined) return ['The usage tables gave no answer.']
  const breaches: string[] = []
  if (row.identities !== row.events) breaches.push(`${row.identities} identities, but ${row.events} events.`)
  if (row.events !== row.counted) breaches.push(`${row.events} events, but the rollups count ${row.counted}.`)
  if (row.raw !== row.rolled) breaches.push(`Events add up to ${row.raw}, the rollups to ${row.rolled}.`)
  return breaches
}
