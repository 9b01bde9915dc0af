import type { Db, Trx } from '../postgres/connect.ts'
import { type ItemRow, itemsOf } from '../store/invoice-items.ts'
import type { InvoiceRow } from '../store/invoices.ts'
import { readTerms } from '../store/rating-terms.ts'
import { usageTotals } from '../store/usage.ts'
import { type LineToBill, linesToBill, periodOf, type RatedSubscription } from './rate.ts'

export interface Rated {
  readonly lines: readonly LineToBill[]
  /** Every item of these invoices' lines, whatever became of it. */
  readonly items: readonly ItemRow[]
}

/**
 * Rates some invoices of one customer from the usage of this moment. The number of queries depends on
 * the number of invoices, never on the number of events.
 */
export async function rateInvoices(
  db: Db | Trx,
  invoices: readonly InvoiceRow[],
  subscriptionOf: (invoice: InvoiceRow) => RatedSubscription,
): Promise<Rated> {
  const terms = await readTerms(db, invoices.map(planVersionOf))
  const items = await itemsOf(
    db,
    invoices.map(({ id }) => id),
  )
  const lines: LineToBill[] = []
  for (const invoice of invoices) {
    const of = terms.get(planVersionOf(invoice))
    if (!of) throw new Error(`${invoice.id} cannot be rated.`)
    const usage = await usageTotals(db, invoice.customerId, periodOf(invoice))
    const own = items.filter(({ originInvoiceId }) => originInvoiceId === invoice.id)
    lines.push(
      ...linesToBill({ invoice, terms: of, subscription: subscriptionOf(invoice), usage, items: own }),
    )
  }
  return { lines, items }
}

function planVersionOf({ id, planVersionId }: InvoiceRow): string {
  if (planVersionId === null) throw new Error(`${id} is the provider's own and is not rated.`)
  return planVersionId
}
