import type { Db } from '../postgres/connect.ts'

/**
 * Marks what a subscription still has to send as not known to stand there as it was sent, so that the next sync looks
 * and does not go by memory. By one of its invoices, which may be final: what came late to it stands on a later one.
 * The subscription to synchronise; undefined where the invoice has none, or none of it is left to be sent.
 */
export async function subscriptionToSend(db: Db, invoiceId: string): Promise<string | undefined> {
  const row = await db
    .updateTable('invoice')
    .set({ syncPending: true })
    .where('subscriptionId', '=', (eb) =>
      eb.selectFrom('invoice as origin').select('origin.subscriptionId').where('origin.id', '=', invoiceId),
    )
    .where('finalizedAt', 'is', null)
    .returning('subscriptionId')
    .executeTakeFirst()
  return row?.subscriptionId ?? undefined
}
