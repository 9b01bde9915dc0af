import { type DisputeStatus, disputeStatuses, isClosed } from '@lockstep/core/dispute'
import type { Instant } from '@lockstep/core/instant'
import type { Money } from '@lockstep/core/money'
import type { Db, Trx } from '../postgres/connect.ts'
import type { Row } from './schema.ts'
import { sqlTime } from './time.ts'

export type Dispute = Row<'dispute'>

export async function disputesOfProvider(db: Db, providerIds: readonly string[]): Promise<Dispute[]> {
  if (providerIds.length === 0) return []
  return db.selectFrom('dispute').selectAll().where('providerDisputeId', 'in', providerIds).execute()
}

export function readDispute(db: Db | Trx, id: string): Promise<Dispute | undefined> {
  return db.selectFrom('dispute').selectAll().where('id', '=', id).executeTakeFirst()
}

interface DisputeFilter {
  readonly customer?: string | undefined
  readonly invoice?: string | undefined
  /** Only those about which something is still to be decided, or only the others. */
  readonly open?: boolean | undefined
  readonly limit: number
  readonly after?: string | undefined
}

/** Newest first. */
export function listDisputes(
  db: Db,
  { customer, invoice, open, limit, after }: DisputeFilter,
): Promise<Dispute[]> {
  let query = db.selectFrom('dispute').selectAll()
  if (customer !== undefined) query = query.where('customerId', '=', customer)
  if (invoice !== undefined) query = query.where('invoiceId', '=', invoice)
  if (open !== undefined)
    query = query.where(
      'status',
      'in',
      disputeStatuses.filter((status) => isClosed(status) !== open),
    )
  if (after !== undefined) query = query.where('id', '<', after)
  return query.orderBy('id', 'desc').limit(limit).execute()
}

/** How many there are of each status. */
export async function countDisputes(
  db: Db,
): Promise<{ readonly status: DisputeStatus; readonly disputes: number }[]> {
  const rows = await db
    .selectFrom('dispute')
    .select((eb) => ['status', eb.fn.countAll<bigint>().as('disputes')])
    .groupBy('status')
    .execute()
  return rows.map(({ status, disputes }) => ({ status, disputes: Number(disputes) }))
}

/** How a dispute stands at the provider. */
interface SeenDispute {
  readonly providerId: string
  readonly status: DisputeStatus
  readonly amount: Money
  readonly reason: string
  readonly respondBy: Instant | null
  readonly created: Instant
}

/** Writes down how it stands at the provider; one that is known keeps its id. */
export async function writeDispute(
  trx: Trx,
  { providerId, status, amount, reason, respondBy, created }: SeenDispute,
  known: Pick<Dispute, 'id' | 'customerId' | 'invoiceId'>,
): Promise<void> {
  const stands = {
    status,
    reason,
    amount: amount.minor,
    respondBy: respondBy === null ? null : sqlTime(respondBy),
    invoiceId: known.invoiceId,
  }
  await trx
    .insertInto('dispute')
    .values({
      ...known,
      ...stands,
      ...{ currency: amount.currency, providerDisputeId: providerId, createdAt: sqlTime(created) },
    })
    .onConflict((on) => on.column('providerDisputeId').doUpdateSet(stands))
    .execute()
}
