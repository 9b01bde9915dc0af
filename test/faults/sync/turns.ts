import type { BillingWorld, Payer } from '../../../packages/service/test/support/billing-world.ts'
import type { Random } from '../../support/random.ts'

/** What becomes of the period of which the usage is told. */
export const turns = {
  /** Its draft stays open for an hour; nobody may hear of it before that is over. */
  async renewed(world: BillingWorld, payer: Payer, random: Random) {
    await world.turn(payer, '2026-02-28T00:00:00Z')
    if (random.below(2) === 0) await world.deliver()
  },
  /** Somebody invoices in mid-cycle, and takes along what is pending. */
  async swallowed({ stripe }: BillingWorld, { customer, subscription }: Payer) {
    const wanted = { customer, subscription, pending_invoice_items_behavior: 'include' as const }
    const invoice = await stripe.invoices.create(wanted).catch(nothingToInvoice)
    if (invoice) await stripe.invoices.pay(invoice.id)
  },
  /** Somebody begins a new period now: there is no draft hour. */
  async anchored({ stripe }: BillingWorld, { subscription }: Payer) {
    await stripe.subscriptions.update(subscription, {
      billing_cycle_anchor: { type: 'now' },
      proration_behavior: 'none',
    })
  },
  async canceled({ stripe }: BillingWorld, { subscription }: Payer) {
    await stripe.subscriptions.cancel(subscription)
  },
  /** Somebody deletes an item that was not made there. */
  async meddledWith({ stripe }: BillingWorld, { customer }: Payer) {
    const { data } = await stripe.invoiceItems.list({ customer, pending: true })
    const [item] = data
    if (item) await stripe.invoiceItems.del(item.id)
  },
  /** Collection is paused over the end of the period: its draft waits for a person. */
  async drafted(world: BillingWorld, payer: Payer, random: Random) {
    await world.stripe.subscriptions.update(payer.subscription, {
      pause_collection: { behavior: 'keep_as_draft' },
    })
    await turns.renewed(world, payer, random)
  },
  /** It is paused altogether: no period ends until it goes on. */
  async paused({ stripe }: BillingWorld, { subscription }: Payer) {
    await stripe.subscriptions.pause(subscription, { bill_for: { unused_time_from: { type: 'none' } } })
  },
} as const
export type Turn = keyof typeof turns
export const turnKeys = Object.keys(turns) as Turn[]

/** Whatever was paused goes on, and is collected. */
export async function goOn({ stripe }: BillingWorld, { subscription }: Payer, turn: Turn): Promise<void> {
  if (turn === 'drafted') {
    await stripe.subscriptions.update(subscription, { pause_collection: '' })
    const drafts = await stripe.invoices.list({ subscription, status: 'draft' })
    for (const { id } of drafts.data) await stripe.invoices.finalizeInvoice(id)
  }
  // It goes on when its invoice is paid: docs.stripe.com/billing/subscriptions/pause.
  if (turn === 'paused') await stripe.subscriptions.resume(subscription)
  const open = await stripe.invoices.list({ subscription, status: 'open' })
  for (const { id } of open.data) await stripe.invoices.pay(id)
}

function nothingToInvoice(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'invoice_no_customer_line_items') return
  throw error
}
