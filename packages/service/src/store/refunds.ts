import type { Instant } from '@lockstep/core/instant'
import type { Money } from '@lockstep/core/money'
import type { RefundStatus } from '@lockstep/core/money-back'
import type { Db, Trx } from '../postgres/connect.ts'
import type { NewRow, Row } from './schema.ts'
import { sqlTime } from './time.ts'

export type Refund = Row<'refund'>

export function readRefund(db: Db | Trx, id: string): Promise<Refund | undefined> {
  return db.selectFrom('refund').selectAll().where('id', '=', id).executeTakeFirst()
}

/** The one that a refund of the provider's is; by our own name first, which it has before it has theirs. */
export function findRefund(
  trx: Trx,
  { id, providerId }: { readonly id: string | null; readonly providerId: string },
): Promise<Refund | undefined> {
  return trx
    .selectFrom('refund')
    .selectAll()
    .where((eb) => eb.or([eb('id', '=', id ?? ''), eb('providerRefundId', '=', providerId)]))
    .executeTakeFirst()
}

/** Newest first. */
export function listRefunds(
  db: Db,
  {
    invoice,
    limit,
    after,
  }: { readonly invoice: string; readonly limit: number; readonly after?: string | undefined },
): Promise<Refund[]> {
  let query = db
    .selectFrom('refund')
    .selectAll()
    .where('invoiceId', '=', invoice)
    .where('status', '!=', 'refused')
  if (after !== undefined) query = query.where('id', '<', after)
  return query.orderBy('id', 'desc').limit(limit).execute()
}

/** Records that it is going to be made. */
export async function intendRefund(
  trx: Trx,
  {
    at,
    ...refund
  }: Pick<
    NewRow<'refund'>,
    'id' | 'customerId' | 'invoiceId' | 'workflowId' | 'currency' | 'amount' | 'reason'
  > & {
    readonly at: Instant
  },
): Promise<void> {
  await trx
    .insertInto('refund')
    .values({
      ...refund,
      status: 'making',
      creditNoteId: null,
      failureReason: null,
      providerRefundId: null,
      createdAt: sqlTime(at),
    })
    .execute()
}

/** Nothing came of it. */
export async function refuseRefund(trx: Trx, id: string): Promise<void> {
  await trx
    .updateTable('refund')
    .set({ status: 'refused' })
    .where('id', '=', id)
    .where('status', '=', 'making')
    .execute()
}

/** How a refund stands at the provider. */
interface SeenRefund {
  readonly providerId: string
  readonly status: RefundStatus
  readonly amount: Money
  readonly reason: string | null
  readonly failureReason: string | null
  readonly created: Instant
}

/** Writes down how it stands at the provider. */
export async function writeRefund(
  trx: Trx,
  seen: SeenRefund,
  known: Pick<Refund, 'id' | 'customerId' | 'invoiceId' | 'creditNoteId' | 'workflowId'>,
): Promise<void> {
  const { providerId, status, amount, reason, failureReason, created } = seen
  const stands = {
    status,
    amount: amount.minor,
    failureReason,
    providerRefundId: providerId,
    creditNoteId: known.creditNoteId,
    createdAt: sqlTime(created),
  }
  await trx
    .insertInto('refund')
    .values({ ...known, ...stands, currency: amount.currency, reason })
    .onConflict((on) => on.column('id').doUpdateSet(stands))
    .execute()
}
