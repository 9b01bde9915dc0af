import { needsSync } from '@lockstep/service/store/invoices'
import type { BillingWorld, Payer } from '../../../packages/service/test/support/billing-world.ts'

/**
 * Holds a customer's items at Stripe against what the usage is worth, at a time at which nothing is left to be billed.
 * One sentence for each promise that was broken.
 */
export async function checkBilled(world: BillingWorld, payer: Payer, worth: bigint): Promise<string[]> {
  const { stripe, db, pool } = world
  const breaches: string[] = []
  const lines = new Map<string, string>()
  const invoices = new Map<string, string>()
  for await (const { id, status } of stripe.invoices.list({ customer: payer.customer, limit: 100 }))
    invoices.set(id, status ?? 'unknown')
  let billed = 0n
  for await (const item of stripe.invoiceItems.list({ customer: payer.customer, limit: 100 })) {
    if (item.metadata?.lockstep_line === undefined) continue
    const line = `${item.metadata.lockstep_line} revision ${item.metadata.lockstep_revision}`
    const other = lines.get(line)
    if (other !== undefined) breaches.push(`Line ${line} stands twice: ${other} and ${item.id}.`)
    lines.set(line, item.id)
    const status = typeof item.invoice === 'string' ? invoices.get(item.invoice) : 'pending'
    if (status !== 'paid') breaches.push(`Item ${item.id} of line ${line} is ${status}.`)
    billed += BigInt(item.amount)
  }
  if (billed !== worth) breaches.push(`${billed} was billed instead of ${worth}.`)

  if (await needsSync(db, payer.subscriptionId)) breaches.push('There is still something to be told.')
  const requests = await world.requests(() => world.sync(payer))
  if (requests.length > 0) breaches.push(`A sync without a reason asked ${requests.join(', ')}.`)
  const { rows } = await pool.query<{ what: string }>(
    `select 'item ' || coalesce(provider_item_id, line_key) || ' is ' || state as what from invoice_item
       where customer_id = $1 and state = 'intended'
     union all
     select 'operation ' || id || ' is ' || state from operation where state in ('prepared', 'unknown', 'parked')
     union all
     select 'event ' || id || ' is ' || state from provider_event where state in ('received', 'parked')`,
    [payer.customerId],
  )
  return [...breaches, ...rows.map(({ what }) => `At the end ${what}.`)]
}
