import { Problem } from '@lockstep/core/problem'
import type { Db, Trx } from '../postgres/connect.ts'
import { transaction } from '../postgres/transaction.ts'
import type { InvoiceRow } from '../store/invoices.ts'
import { deedsOn, lockInvoice } from '../store/money-back.ts'

const MOST_LOOKS = 3

/**
 * Looks at the provider what can be given back, decides, and records the intention; unless somebody else
 * began to give back of the same invoice in between: then it looks again. The provider checks a refund
 * against its payment alone, so that two at once could give back more than was paid.
 */
export async function beginMoneyBack<T>(
  { db }: { readonly db: Db },
  invoiceId: string,
  decide: () => Promise<T>,
  record: (trx: Trx, decided: T) => Promise<void>,
): Promise<T> {
  for (let looks = 0; looks < MOST_LOOKS; looks += 1) {
    const before = await deedsOn(db, invoiceId)
    if (before.making > 0) break
    const decided = await decide()
    const recorded = await transaction(db, async (trx) => {
      await lockInvoice(trx, invoiceId)
      if ((await deedsOn(trx, invoiceId)).count !== before.count) return false
      await record(trx, decided)
      return true
    })
    if (recorded) return decided
  }
  throw new Problem('money_back_in_progress', `Money of ${invoiceId} is being given back at this moment.`, {
    retryAfterSeconds: 2,
  })
}

/** The invoice at the provider, of which money can be given back; only a final one has a fixed amount. */
export function finalInvoice({ id, status, providerInvoiceId }: InvoiceRow): string {
  if (providerInvoiceId !== null && status !== 'current' && status !== 'closing' && status !== 'draft')
    return providerInvoiceId
  throw new Problem('invoice_not_final', `Invoice ${id} is ${status}: what is on it can still be changed.`)
}
