import type { Instant } from '@lockstep/core/instant'
import { sql } from 'kysely'
import type { Db, Trx } from '../postgres/connect.ts'
import { sqlTime } from './time.ts'

/** What was done about an invoice so far: how often, and how much of it is on its way still. */
export interface Deeds {
  readonly count: number
  readonly making: number
}

export async function deedsOn(db: Db | Trx, invoiceId: string): Promise<Deeds> {
  const { rows } = await sql<Deeds>`
    select count(*)::int4 as count, (count(*) filter (where status = 'making'))::int4 as making
      from (select status from refund where invoice_id = ${invoiceId}
            union all select status from credit_note where invoice_id = ${invoiceId}) as deed`.execute(db)
  return rows[0] ?? { count: 0, making: 0 }
}

/** An invoice of a subscription of which money is being given back, begun after `since`. */
export async function moneyOnItsWay(db: Db, subscriptionId: string, since: Instant): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select invoice.id from invoice
     where subscription_id = ${subscriptionId}
       and (exists (select from refund where invoice_id = invoice.id and status = 'making'
                                         and created_at > ${sqlTime(since)})
            or exists (select from credit_note where invoice_id = invoice.id and status = 'making'
                                                 and created_at > ${sqlTime(since)}))
     limit 1`.execute(db)
  return rows.map(({ id }) => id)
}

/** Whoever gives back money of an invoice does so alone. */
export async function lockInvoice(trx: Trx, invoiceId: string): Promise<void> {
  await trx.selectFrom('invoice').select('id').where('id', '=', invoiceId).forUpdate().execute()
}
