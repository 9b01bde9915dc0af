import type { Trx } from '../postgres/connect.ts'
import { takeOffDraft } from '../store/pending-items.ts'

/**
 * The provider's draft of a period was deleted, and what stood on it is gone with it: the next sync
 * looks where the items are and sends what is missing. An invoice that is final stays what it is.
 */
export async function forgetDraft(trx: Trx, providerInvoiceId: string): Promise<void> {
  await takeOffDraft(trx, providerInvoiceId)
  await trx
    .updateTable('invoice')
    .set((eb) => ({
      providerInvoiceId: null,
      finalizesAt: null,
      dirty: true,
      draftsLost: eb('draftsLost', '+', 1),
    }))
    .where('providerInvoiceId', '=', providerInvoiceId)
    .where('finalizedAt', 'is', null)
    .execute()
}
