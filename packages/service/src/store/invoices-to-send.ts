import type { Db } from '../postgres/connect.ts'

/**
 * Marks the lines of an invoice as not known to stand there as they were sent, so that the next sync looks and does
 * not go by memory. The subscription to synchronise; undefined where the invoice has none.
 */
export async function subscriptionToSend(db: Db, invoiceId: string): Promise<string | undefined> {
  const row = await db
    .updateTable('invoice')
    .set({ syncPending: true })
    .where('id', '=', invoiceId)
    .where('finalizedAt', 'is', null)
    .returning('subscriptionId')
    .executeTakeFirst()
  return row?.subscriptionId ?? undefined
}
