import type { Instant } from '@lockstep/core/instant'
import { sql } from 'kysely'
import type { Db, Trx } from '../postgres/connect.ts'
import { sqlTime } from './time.ts'

/**
 * Whether the last event of a draft of the provider's before a moment says that it was to be finalized by itself. Of events of
 * one second, whose order nobody tells, one that says so is enough.
 */
export async function wasToBeFinalized(
  db: Db | Trx,
  providerInvoiceId: string,
  before: Instant,
): Promise<boolean> {
  const { rows } = await sql<{ advances: boolean }>`
    select coalesce((payload #>> '{data,object,auto_advance}')::boolean, false) as advances
    from provider_event
    where object_id = ${providerInvoiceId} and object_type = 'invoice' and created < ${sqlTime(before)}
      and payload #>> '{data,object,status}' = 'draft'
    order by created desc, advances desc limit 1`.execute(db)
  return rows[0]?.advances ?? false
}
