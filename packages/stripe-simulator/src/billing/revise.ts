import { invalid } from '../errors.ts'
import type { InvoiceItemRow, InvoiceRow, LineRow } from '../rows.ts'
import type { World } from '../world.ts'
import { voidInvoice } from './end.ts'
import { attachedPayments } from './invoice-payments.ts'
import { itemOfLine } from './lines.ts'

/**
 * What a revision starts from: the lines of an invoice that is finalized and not paid, each with an invoice
 * item of its own. Neither credit notes nor pending items come along.
 * https://docs.stripe.com/invoicing/invoice-edits
 */
export function revisable(world: World, invoice: InvoiceRow, param: string): InvoiceRow {
  if (invoice.status !== 'open' && invoice.status !== 'uncollectible') {
    throw invalid(
      `Only open and uncollectible invoices can be revised; this one is ${invoice.status}.`,
      param,
    )
  }
  if (invoice.own.subscription !== null) {
    throw invalid('Invoices of subscriptions cannot be revised after finalization.', param)
  }
  refuseWithPayments(world, invoice, 'revise')
  return invoice
}

/** What somebody began to pay by hand stays as it is. https://docs.stripe.com/invoicing/partial-payments */
export function refuseWithPayments(world: World, invoice: InvoiceRow, verb: string): void {
  if (attachedPayments(world, invoice.id).length === 0) return
  throw invalid(`You cannot ${verb} an invoice that has open or paid payments attached.`)
}

export function copyLines(world: World, from: InvoiceRow, to: string): LineRow[] {
  return from.own.lines.map((line) => {
    const item = world.invoiceItems.get(itemOfLine(line))
    if (item === undefined) throw new Error(`the line ${line.id} of ${from.id} has no invoice item`)
    const copy: InvoiceItemRow = world.invoiceItems.insert({ ...item, id: world.ids.next('ii'), invoice: to })
    const details = line.parent?.invoice_item_details
    return {
      ...line,
      id: world.ids.next('il'),
      invoice: to,
      parent:
        line.parent == null || details == null
          ? null
          : { ...line.parent, invoice_item_details: { ...details, invoice_item: copy.id } },
    }
  })
}

/** The revision takes the place of what it revises, which is void from then on. */
export function replaceOriginal(world: World, revision: InvoiceRow): void {
  const original = world.invoices.get(revision.from_invoice?.invoice as string)
  if (original === undefined) return
  if (original.status === 'open' || original.status === 'uncollectible') {
    voidInvoice(world, original.id, 'void_invoice')
  } else if (original.status !== 'void') {
    throw invalid(
      `The revised invoice ${original.id} is ${original.status}; its revision cannot be finalized.`,
    )
  }
  world.emit('invoice.updated', world.invoices.patch(original.id, { latest_revision: revision.id }))
}
