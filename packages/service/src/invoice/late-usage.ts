import { isFrozen } from '@lockstep/core/invoice'
import type { Trx } from '../postgres/connect.ts'
import { readInvoiceRows, updateInvoice } from '../store/invoices.ts'
import { hasSomethingLeft, ratedColumns } from './rate.ts'
import { type RatingOptions, rateInvoices } from './rate-invoices.ts'

/**
 * Looks at what is still to bill of these periods after some of it was billed. Of a frozen one it is
 * late usage and goes onto the subscription's next invoice; an open one gets a new revision of its
 * lines. Part of a transaction that closed the gate, so that no event is counted in neither.
 */
export async function noticeLateUsage(
  trx: Trx,
  invoiceIds: readonly string[],
  { addedUp }: Pick<RatingOptions, 'addedUp'> = {},
): Promise<void> {
  const invoices = await readInvoiceRows(trx, [...new Set(invoiceIds)])
  for (const invoice of invoices) {
    if (!isFrozen(invoice.status)) {
      await updateInvoice(trx, invoice.id, { dirty: true })
      continue
    }
    if (invoice.planVersionId === null || invoice.subscriptionId === null) continue
    const subscription = await trx
      .selectFrom('subscription')
      .select(ratedColumns)
      .where('id', '=', invoice.subscriptionId)
      .executeTakeFirstOrThrow()
    const { lines } = await rateInvoices(trx, [invoice], () => subscription, { addedUp })
    const lateUsage = hasSomethingLeft(lines)
    await updateInvoice(trx, invoice.id, { lateUsage })
    if (lateUsage) {
      await trx
        .updateTable('invoice')
        .set({ dirty: true })
        .where('subscriptionId', '=', invoice.subscriptionId)
        .where('status', '=', 'current')
        .execute()
    }
  }
}
