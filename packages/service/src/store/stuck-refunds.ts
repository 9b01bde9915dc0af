import type { Instant } from '@lockstep/core/instant'
import { PENDING_SECONDS, type StuckReason, UNANSWERED_SECONDS } from '@lockstep/core/stuck-refund'
import { type RawBuilder, sql } from 'kysely'
import type { Db, Trx } from '../postgres/connect.ts'
import type { Refund } from './refunds.ts'
import type { Row } from './schema.ts'
import { sqlTime } from './time.ts'

export interface StuckRefund extends Refund {
  readonly stuck: StuckReason
  /** What a person has said of it; null of one that still needs somebody. */
  readonly agent: string | null
  readonly acknowledgedFor: string | null
  readonly acknowledgedBy: string | null
  readonly acknowledgedAt: Instant | null
}

interface StuckFilter {
  readonly at: Instant
  /** Those that a person has acknowledged as well. */
  readonly all: boolean
  readonly limit: number
  readonly after?: string | undefined
}

/** Refunds that need a person, newest first, with why. None stays when the provider tells of its end. */
export async function listStuckRefunds(
  db: Db,
  { at, all, limit, after }: StuckFilter,
): Promise<StuckRefund[]> {
  const { rows } = await sql<StuckRefund>`
    select * from ${stuckAt(at)}
    where ${all ? sql`true` : OPEN} and ${after === undefined ? sql`true` : sql`id < ${after}`}
    order by id desc limit ${limit}`.execute(db)
  return rows
}

/** One of them as it stands; undefined of one that needs nobody. */
export async function readStuckRefund(
  db: Db | Trx,
  id: string,
  at: Instant,
): Promise<StuckRefund | undefined> {
  const { rows } = await sql<StuckRefund>`select * from ${stuckAt(at)} where id = ${id}`.execute(db)
  return rows[0]
}

/**
 * Writes down that a person has seen it stuck for the reason that it is stuck for now. What was said of that before stands.
 * Undefined: it is not stuck.
 */
export async function acknowledgeRefund(
  trx: Trx,
  id: string,
  {
    at,
    ...said
  }: Pick<Row<'refundAcknowledgement'>, 'reason' | 'agent' | 'acknowledgedBy'> & { readonly at: Instant },
): Promise<StuckRefund | undefined> {
  const stuck = await readStuckRefund(trx, id, at)
  if (!stuck) return undefined
  const seen = { refundId: id, stuck: stuck.stuck, customerId: stuck.customerId }
  await trx
    .insertInto('refundAcknowledgement')
    .values({ ...seen, ...said, acknowledgedAt: sqlTime(at) })
    .onConflict((on) => on.columns(['refundId', 'stuck']).doNothing())
    .execute()
  const { reason, agent, acknowledgedBy, acknowledgedAt } = await trx
    .selectFrom('refundAcknowledgement')
    .selectAll()
    .where('refundId', '=', id)
    .where('stuck', '=', stuck.stuck)
    .executeTakeFirstOrThrow()
  return { ...stuck, agent, acknowledgedFor: reason, acknowledgedBy, acknowledgedAt }
}

const OPEN = sql`acknowledged_at is null`

/** How many there are of each reason that nobody has acknowledged. */
export async function countStuckRefunds(
  db: Db,
  at: Instant,
): Promise<{ readonly stuck: StuckReason; readonly refunds: number }[]> {
  const { rows } = await sql<{ stuck: StuckReason; refunds: number }>`
    select stuck, count(*)::int4 as refunds from ${stuckAt(at)} where ${OPEN} group by stuck`.execute(db)
  return rows
}

/**
 * The provider dates a refund by the customer's own time; what it has not answered is dated by ours. One that the bank sent back is
 * done with when as much of the invoice was given back since, in whatever way, and is told of until then however long ago that was.
 */
function stuckAt(at: Instant): RawBuilder<unknown> {
  const now = sql`coalesce(clock.frozen_at, ${sqlTime(at)}::timestamptz)`
  const before = (from: RawBuilder<unknown>, seconds: number) =>
    sql`${from} - ${seconds}::int4 * interval '1 second'`
  return sql`(
    select refund.*, reason_to_look.stuck, said.agent, said.reason as acknowledged_for, said.acknowledged_by, said.acknowledged_at
    from refund
    join customer on customer.id = refund.customer_id
    left join test_clock clock on clock.id = customer.test_clock_id
    cross join lateral (select case
      when refund.status = 'making'
        and refund.created_at < ${before(sql`${sqlTime(at)}::timestamptz`, UNANSWERED_SECONDS)} then 'unanswered'
      when refund.status = 'requires_action' then 'actionRequired'
      when refund.status = 'pending' and refund.created_at < ${before(now, PENDING_SECONDS)} then 'pending'
      when refund.status = 'failed' and refund.amount > (
        select coalesce(sum(amount), 0) from (
          select amount, created_at from refund other
          where other.invoice_id = refund.invoice_id and other.id <> refund.id and other.status in ('pending', 'succeeded')
          union all
          select credited + out_of_band, created_at from credit_note
          where credit_note.invoice_id = refund.invoice_id and status = 'issued'
            and credit_note.id is distinct from refund.credit_note_id
        ) as since where since.created_at >= refund.created_at
      ) then 'failed'
    end as stuck) as reason_to_look
    left join refund_acknowledgement said on said.refund_id = refund.id and said.stuck = reason_to_look.stuck
    where refund.status in ('making', 'requires_action', 'pending', 'failed') and reason_to_look.stuck is not null
  ) as stuck_refund`
}
