import { collectAndSettle } from '../billing/settle.ts'
import { invalid } from '../errors.ts'
import type { InvoiceRow } from '../rows.ts'
import type { World } from '../world.ts'
import { find } from './lookup.ts'
import { useMethod } from './make-method.ts'

/**
 * A person pays an open invoice on its hosted page, with a `pm_card_*` token. Where the bank asks, the
 * intent waits and its challenge leads back to the page. https://docs.stripe.com/invoicing/hosted-invoice-page
 */
export function payOnPage(world: World, id: string, card: string): InvoiceRow {
  const invoice = find(world.invoices, 'invoice', id)
  if (invoice.status !== 'open') throw invalid(`This invoice is ${invoice.status}.`)
  const outcome = collectAndSettle(world, id, {
    offSession: false,
    automatic: false,
    method: useMethod(world, card, 'card'),
    returnUrl: invoice.hosted_invoice_url ?? undefined,
  })
  if ('error' in outcome) throw outcome.error
  return world.invoices.must(id)
}
