import { sql } from 'kysely'
import type { Db, Trx } from '../postgres/connect.ts'

/**
 * Whether a customer had a trial of one of a product's plans, has one, or is on the way to one. By the history: a trial that was
 * given in the provider's dashboard counts, and one that was changed to another plan meanwhile is one of both.
 */
export async function hadTrial(
  db: Db | Trx,
  { customerId, product }: { readonly customerId: string; readonly product: string },
): Promise<boolean> {
  const { rows } = await sql<{ had: boolean }>`
    select exists (
             select from subscription_history h join plan_version v on v.id = h.plan_version_id
              where h.customer_id = ${customerId} and v.product_key = ${product} and h.status = 'trialing')
        or exists (
             select from registration r
               join workflow w on w.id = r.workflow_id
               join plan_version v on v.id = r.plan_version_id
              where r.customer_id = ${customerId} and v.product_key = ${product} and v.trial_days > 0
                and w.ended_at is null and not w.input ? 'withoutTrial') as had`.execute(db)
  return rows[0]?.had === true
}
