import type { Adjustment } from '@lockstep/core/adjustment'
import type { Instant } from '@lockstep/core/instant'
import { money } from '@lockstep/core/money'
import { compiled } from '../postgres/compiled.ts'
import type { Db, Trx } from '../postgres/connect.ts'
import { isOneOf } from '../postgres/given.ts'
import type { NewRow, Row } from './schema.ts'
import { sqlTime } from './time.ts'

/** An adjustment with whose it is, and its record: who made it and why, who withdrew it and why. */
export interface AdjustmentRecord
  extends Adjustment,
    Pick<
      Row<'adjustment'>,
      | 'customerId'
      | 'invoiceId'
      | 'reason'
      | 'madeBy'
      | 'agent'
      | 'supersedes'
      | 'withdrawnBy'
      | 'withdrawalReason'
    > {}

const ofInvoices = compiled((db, { invoiceIds }: { readonly invoiceIds: readonly string[] }) =>
  db.selectFrom('adjustment').selectAll().where(isOneOf('invoice_id', invoiceIds)).orderBy('id'),
)

/** Of these invoices, in the order in which they were made; those that were withdrawn among them. */
export async function adjustmentsOf(
  db: Db | Trx,
  invoiceIds: readonly string[],
): Promise<AdjustmentRecord[]> {
  if (invoiceIds.length === 0) return []
  return (await ofInvoices(db, { invoiceIds })).map(recordOf)
}

/** Newest first. */
export async function listAdjustments(
  db: Db,
  {
    invoice,
    limit,
    after,
  }: { readonly invoice: string; readonly limit: number; readonly after?: string | undefined },
): Promise<AdjustmentRecord[]> {
  let query = db.selectFrom('adjustment').selectAll().where('invoiceId', '=', invoice)
  if (after !== undefined) query = query.where('id', '<', after)
  return (await query.orderBy('id', 'desc').limit(limit).execute()).map(recordOf)
}

export async function readAdjustment(db: Db | Trx, id: string): Promise<AdjustmentRecord | undefined> {
  const row = await db.selectFrom('adjustment').selectAll().where('id', '=', id).executeTakeFirst()
  return row && recordOf(row)
}

export type NewAdjustment = Omit<
  NewRow<'adjustment'>,
  'madeAt' | 'withdrawnBy' | 'withdrawnAt' | 'withdrawalReason'
> & { readonly madeAt: Instant }

export async function insertAdjustment(trx: Trx, { madeAt, ...adjustment }: NewAdjustment): Promise<void> {
  await trx
    .insertInto('adjustment')
    .values({ ...adjustment, madeAt: sqlTime(madeAt) })
    .execute()
}

export interface Withdrawal {
  readonly by: string
  readonly at: Instant
  readonly reason: string
}

/** Its content stays, for the record. */
export async function withdrawAdjustment(
  trx: Trx,
  id: string,
  { by, at, reason }: Withdrawal,
): Promise<void> {
  await trx
    .updateTable('adjustment')
    .set({ withdrawnBy: by, withdrawnAt: sqlTime(at), withdrawalReason: reason })
    .where('id', '=', id)
    .where('withdrawnAt', 'is', null)
    .execute()
}

const recordOf = ({ amount, currency, ...row }: Row<'adjustment'>): AdjustmentRecord => ({
  ...row,
  amount: money(amount, currency),
})
