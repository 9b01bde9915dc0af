import type { BilledPart } from '@lockstep/core/given-back'
import { money } from '@lockstep/core/money'
import { quantityOf } from '@lockstep/core/quantity'
import type { Db } from '../postgres/connect.ts'
import { type ItemRow, itemsOf } from '../store/invoice-items.ts'
import type { InvoiceRow } from '../store/invoices.ts'
import { type LineItemRow, lineItemsOf } from '../store/line-items.ts'
import { toBilledPart } from './as-paid.ts'
import { finalSums } from './final-sums.ts'
import type { ShownInvoice, ShownLine } from './read.ts'

/** A final invoice as it was written down. */
export async function showFrozen(db: Db, invoice: InvoiceRow): Promise<ShownInvoice> {
  const rows = await lineItemsOf(db, [invoice.id])
  const origins = rows.flatMap(({ originInvoiceId }) => (originInvoiceId === null ? [] : [originInvoiceId]))
  const items = await itemsOf(db, [...new Set(origins)])
  const lines = rows.map(
    (row): ShownLine => ({
      id: row.id,
      key: row.lineKey,
      description: row.description,
      period: { start: row.periodStart, end: row.periodEnd },
      quantity: row.quantity === null ? null : quantityOf(row.quantity),
      unitLabel: row.derivation?.measured?.unitLabel ?? null,
      amount: money(row.amount, row.currency),
      late: row.originInvoiceId !== null && row.originInvoiceId !== invoice.id,
      derivation: row.derivation,
      reason: null,
      asOf: null,
      billed: billedBefore(row, items),
      providerId: row.providerLineId,
    }),
  )
  return { invoice, lines, ...(await finalSums(db, invoice)) }
}

/** The parts of a line that earlier revisions carry: its derivation is that of the whole. */
function billedBefore(
  { originInvoiceId, lineKey, revision, currency }: LineItemRow,
  items: readonly ItemRow[],
): BilledPart[] {
  return items
    .filter((item) => item.originInvoiceId === originInvoiceId && item.lineKey === lineKey)
    .filter((item) => item.state === 'billed' && item.revision < (revision ?? 0))
    .map((item) => toBilledPart(item, currency))
}
