import type { InvoiceRow } from '../rows.ts'
import type { World } from '../world.ts'
import { askForRemaining, settlePayments } from './invoice-payments.ts'
import { markPaid } from './invoices.ts'
import { cancelIntent } from './payments.ts'
import { afterPaid } from './settle.ts'

/** Moves what an open invoice still asks for; its intent and its payment ask for the same. */
export function setRemaining(world: World, id: string, by: number): void {
  if (by === 0) return
  const invoice = world.invoices.must(id)
  const remaining = invoice.amount_remaining + by
  world.invoices.patch(id, { amount_due: invoice.amount_due + by, amount_remaining: remaining })
  askForRemaining(world, id)
}

/**
 * An open invoice with nothing left to pay is paid.
 * https://docs.stripe.com/invoicing/dashboard/credit-notes
 */
export function settleCredited(world: World, id: string): InvoiceRow {
  const invoice = world.invoices.must(id)
  if (invoice.status !== 'open' || invoice.amount_remaining > 0) return invoice
  settlePayments(world, id, 'canceled', world.now(invoice.own.clock))
  if (invoice.own.paymentIntent !== null) cancelIntent(world, invoice.own.paymentIntent, 'automatic')
  const paid = markPaid(world, id, { outOfBand: false })
  afterPaid(world, paid)
  return paid
}
